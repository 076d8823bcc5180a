#include "comm/heartbeat.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/start_thread.h"

namespace cleave::comm {
namespace {

using Clock = std::chrono::steady_clock;

// Ten beats and more in the time after which a process counts as stalled.
constexpr std::chrono::milliseconds kInterval{200};

std::vector<std::byte> bytes_of(const auto& message) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&message);
  return {bytes, bytes + sizeof(message)};
}

}  // namespace

Heartbeat::Peer::Peer(HeartbeatPeer peer)
    : socket(std::move(peer.socket)), name(std::move(peer.name)), progress(static_cast<size_t>(peer.num_ranks)) {}

Heartbeat::Heartbeat(std::vector<HeartbeatPeer> peers, std::chrono::milliseconds stall_timeout, Failure& failure,
                     std::vector<std::shared_ptr<Pulse>> pulses)
    : stall_timeout_(stall_timeout), failure_(failure) {
  for (HeartbeatPeer& peer : peers) peers_.emplace_back(std::move(peer));
  for (auto& pulse : pulses) own_.push_back({.pulse = std::move(pulse)});
  stop_ = Socket(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_) fail(ErrorKind::Io, "cannot make an event descriptor: {}", std::strerror(errno));
}

void Heartbeat::start() {
  thread_ = start_thread([this] { run(); });
}

Heartbeat::~Heartbeat() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  CHECK_EQ(write(stop_.descriptor(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  thread_.join();
}

void Heartbeat::tell(std::string_view failure) {
  Message message{.kind = Kind::Failure};
  message.size = static_cast<uint32_t>(std::min(failure.size(), sizeof(message.content)));
  std::memcpy(message.content, failure.data(), message.size);
  send_to_all(message);
}

void Heartbeat::say_goodbye() {
  send_to_all({.kind = Kind::Goodbye});
}

void Heartbeat::send_to_all(const Message& message) {
  const std::scoped_lock lock(mutex_);
  for (Peer& peer : peers_)
    if (peer.socket) send(peer, message);
}

// A peer that does not read must not hold up the others: what the socket does not take waits, and beats are left out.
void Heartbeat::send(Peer& peer, const Message& message) {
  if (message.kind == Kind::Beat && !peer.unsent.empty()) return flush(peer);
  const std::vector<std::byte> bytes = bytes_of(message);
  peer.unsent.insert(peer.unsent.end(), bytes.begin(), bytes.end());
  flush(peer);
}

void Heartbeat::flush(Peer& peer) {
  while (!peer.unsent.empty()) {
    const ssize_t sent =
        ::send(peer.socket.descriptor(), peer.unsent.data(), peer.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return;  // full, or ended: receive() finds out
    peer.unsent.erase(peer.unsent.begin(), peer.unsent.begin() + sent);
  }
}

void Heartbeat::beat() {
  for (size_t first = 0; first < own_.size(); first += Message::kMostRanks) {
    Message message{.kind = Kind::Beat, .first_rank = first};
    for (size_t rank = first; rank < std::min(own_.size(), first + Message::kMostRanks); ++rank) {
      Own& own = own_[rank];
      const Pulse::Sample sample = own.pulse->sample();
      if (sample.progress != own.last_sample || sample.is_busy) ++own.progress;
      own.last_sample = sample.progress;
      message.content[message.size++] = own.progress;
    }
    send_to_all(message);
  }
}

void Heartbeat::run() {
  auto next_beat = Clock::now();
  auto last_look = next_beat;
  pollfd stop = {.fd = stop_.descriptor(), .events = POLLIN, .revents = 0};
  while (poll(&stop, 1, 0) <= 0) {
    if (Clock::now() >= next_beat) {
      beat();
      next_beat = Clock::now() + kInterval;
    }
    wait_for_messages();
    const auto now = Clock::now();
    judge(now - last_look);
    last_look = now;
  }
}

void Heartbeat::wait_for_messages() {
  std::vector<pollfd> entries = {{.fd = stop_.descriptor(), .events = POLLIN, .revents = 0}};
  for (const Peer& peer : peers_) entries.push_back({.fd = peer.socket.descriptor(), .events = POLLIN, .revents = 0});
  if (poll(entries.data(), entries.size(), static_cast<int>(kInterval.count()) / 2) <= 0) return;
  for (size_t p = 0; p < peers_.size(); ++p)
    if (entries[p + 1].revents != 0) receive(peers_[p]);
}

void Heartbeat::receive(Peer& peer) {
  std::byte buffer[8 * sizeof(Message)];
  const ssize_t size = recv(peer.socket.descriptor(), buffer, sizeof(buffer), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    if (!peer.said_goodbye)
      failure_.set(fmt::format("{} died: its connection ended without a word ({})", peer.name,
                               size == 0 ? "closed" : std::strerror(errno)));
    const std::scoped_lock lock(mutex_);
    peer.socket = Socket();
    return;
  }
  peer.received.insert(peer.received.end(), buffer, buffer + size);
  while (peer.received.size() >= sizeof(Message)) {
    Message message;
    std::memcpy(&message, peer.received.data(), sizeof(message));
    peer.received.erase(peer.received.begin(), peer.received.begin() + sizeof(message));
    handle(peer, message);
  }
}

void Heartbeat::handle(Peer& peer, const Message& message) {
  peer.silence = {};
  switch (message.kind) {
    case Kind::Beat:
      for (size_t i = 0;
           i < std::min<size_t>(message.size, Message::kMostRanks) && message.first_rank + i < peer.progress.size();
           ++i)
        peer.progress[message.first_rank + i].store(message.content[i], std::memory_order_relaxed);
      return;
    case Kind::Failure:
      failure_.set(std::string(reinterpret_cast<const char*>(message.content),
                               std::min<size_t>(message.size, sizeof(message.content))));
      return;
    case Kind::Goodbye:
      peer.said_goodbye = true;
      return;
  }
}

// Adds to everybody's silence, but never more than two beats at once: a long look back means that this process itself
// was stopped.
void Heartbeat::judge(std::chrono::nanoseconds elapsed) {
  for (Peer& peer : peers_) {
    if (!peer.socket) continue;
    peer.silence += std::min<std::chrono::nanoseconds>(elapsed, 2 * kInterval);
    if (peer.silence > stall_timeout_)
      failure_.set(
          fmt::format("{} stalled: no heartbeat for {:.1f} s; the process is stopped or its machine unreachable",
                      peer.name, std::chrono::duration<double>(stall_timeout_).count()));
  }
}

}  // namespace cleave::comm
