#include "comm/heartbeat.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "base/error.h"

namespace cleave::comm {
namespace {

using std::chrono_literals::operator""ms;
using testing::HasSubstr;

// One process of a group, as far as its heartbeat goes; the others are in this process too.
struct Process {
  std::promise<std::string> found;
  Failure failure{[this](const std::string& text) { found.set_value(text); }};
  std::vector<std::shared_ptr<Pulse>> pulses = {std::make_shared<Pulse>()};
  std::unique_ptr<Heartbeat> heartbeat;
  int ranks_per_process = 1;

  void start(int process, int other, Socket connection, std::chrono::milliseconds stall_timeout = 1000ms) {
    std::vector<HeartbeatPeer> peers;
    for (int p = 0; p < 2; ++p)
      peers.push_back({p == other ? std::move(connection) : Socket(), fmt::format("rank {}", p), ranks_per_process});
    while (static_cast<int>(pulses.size()) < ranks_per_process) pulses.push_back(std::make_shared<Pulse>());
    heartbeat = std::make_unique<Heartbeat>(std::move(peers), stall_timeout, failure, pulses);
    heartbeat->start();
  }
  std::string failure_text() {
    auto text = found.get_future();
    return text.wait_for(std::chrono::seconds(20)) == std::future_status::ready ? text.get() : "nothing";
  }
};

std::pair<Socket, Socket> connection() {
  int ends[2] = {};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  return {Socket(ends[0]), Socket(ends[1])};
}

TEST(Heartbeat, TellsOfADeathAtOnce) {
  auto [own, others] = connection();
  Process process;
  process.start(0, 1, std::move(own), std::chrono::hours(1));
  others = Socket();
  EXPECT_THAT(process.failure_text(), HasSubstr("rank 1 died"));
}

TEST(Heartbeat, NamesAProcessThatIsSilent) {
  auto [own, others] = connection();
  Process process;
  process.start(0, 1, std::move(own), 300ms);
  EXPECT_THAT(process.failure_text(), HasSubstr("rank 1 stalled: no heartbeat for 0.3 s"));
}

TEST(Heartbeat, CarriesLastWordsAndSignsOfLife) {
  auto [own, others] = connection();
  Process a, b;
  a.start(0, 1, std::move(own));
  b.start(1, 0, std::move(others));
  b.pulses[0]->tick();
  while (a.heartbeat->progress(1, 0) == 0) std::this_thread::sleep_for(1ms);
  b.heartbeat->tell("rank 1 gave up: disk full");
  b.heartbeat.reset();
  EXPECT_EQ(a.failure_text(), "rank 1 gave up: disk full");
}

TEST(Heartbeat, TellsTheRanksOfAProcessApart) {
  constexpr int kRanks = 130;  // more than one message holds
  auto [own, others] = connection();
  Process a, b;
  a.ranks_per_process = b.ranks_per_process = kRanks;
  a.start(0, 1, std::move(own));
  b.start(1, 0, std::move(others));
  for (const int rank : {0, 61, 62, 129}) {
    const uint64_t before = a.heartbeat->progress(1, rank), of_neighbour = a.heartbeat->progress(1, rank ^ 1);
    b.pulses[static_cast<size_t>(rank)]->tick();
    while (a.heartbeat->progress(1, rank) == before) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(a.heartbeat->progress(1, rank ^ 1), of_neighbour);
  }
}

TEST(Heartbeat, LetsGoOfAProcessThatSaidGoodbye) {
  auto [own, others] = connection();
  Process a, b;
  a.start(0, 1, std::move(own), 300ms);
  b.start(1, 0, std::move(others), 300ms);
  b.heartbeat->say_goodbye();
  b.heartbeat.reset();
  std::this_thread::sleep_for(700ms);
  EXPECT_FALSE(a.failure.is_set());
}

TEST(Listener, ConnectsEveryProcessWithEveryOther) {
  constexpr int kProcesses = 4;
  std::vector<Listener> listeners(kProcesses);
  std::vector<Endpoint> endpoints;
  for (const Listener& listener : listeners) endpoints.push_back(listener.endpoint());
  std::vector<std::future<std::vector<Socket>>> processes;
  for (int p = 0; p < kProcesses; ++p)
    processes.push_back(std::async(std::launch::async, [&, p] {
      return listeners[static_cast<size_t>(p)].connect_all(p, endpoints, std::chrono::seconds(20));
    }));
  std::vector<std::vector<Socket>> sockets;
  for (auto& process : processes) sockets.push_back(process.get());
  for (size_t a = 0; a < kProcesses; ++a) {
    for (size_t b = 0; b < kProcesses; ++b) {
      ASSERT_EQ(static_cast<bool>(sockets[a][b]), a != b);
      if (a == b) continue;
      const char said = static_cast<char>('a' + a * kProcesses + b);
      ASSERT_EQ(send(sockets[a][b].descriptor(), &said, 1, 0), 1);
      char heard = 0;
      while (recv(sockets[b][a].descriptor(), &heard, 1, 0) < 0) std::this_thread::sleep_for(1ms);
      EXPECT_EQ(heard, said) << a << " to " << b;
    }
  }
}

TEST(Listener, NamesWhoeverDoesNotComeOrCannotBeReached) {
  Listener here;
  const std::vector<Endpoint> endpoints = {here.endpoint(), Endpoint{.host = "elsewhere", .port = 1}};
  const auto error_of = [&](int process) -> std::string {
    try {
      here.connect_all(process, endpoints, 100ms);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_THAT(error_of(0), HasSubstr("process 1 on elsewhere did not connect to process 0"));
  EXPECT_THAT(error_of(1), HasSubstr("process 1 cannot reach process 0"));
}

}  // namespace
}  // namespace cleave::comm
