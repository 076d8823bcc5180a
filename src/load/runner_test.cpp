#include "load/runner.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

#include "base/testing/temporary_directory.h"

namespace cleave::load {
namespace {

/// A socket that takes connections and never answers.
class SilentServer {
 public:
  explicit SilentServer(std::string path) : path_(std::move(path)), socket_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(socket_, 1), 0);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { close(socket_); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int socket_;
};

std::vector<Result> run(const std::string& url, Workload& workload, const RunLimits& limits) {
  Network network(parse_target(url), {});
  return Runner(network, {}, "", workload, limits).run({});
}

/// A workload whose next request is always due a moment later, so that it never comes.
class Procrastinating final : public Workload {
 public:
  static constexpr double kSeconds = 0.01;

  std::optional<Job> next(double now) override {
    ++num_asked;
    time_ = now + kSeconds;
    return std::nullopt;
  }
  std::optional<double> next_time() const override { return time_; }
  void finished(const Job&, const std::optional<std::string>&) override {}

  int64_t num_asked = 0;

 private:
  double time_ = 0;
};

TEST(Runner, WaitsWithOneTimerHoweverOftenWhatIsDueChanges) {
  Procrastinating workload;
  const RunLimits limits{.seconds = 1};
  EXPECT_TRUE(run("http://127.0.0.1:1", workload, limits).empty());
  // Each timer asks once, and ten ticks do; were they to leave timers behind, there would be hundreds.
  EXPECT_LE(workload.num_asked, static_cast<int64_t>(*limits.seconds / Procrastinating::kSeconds) + 20);
  EXPECT_GT(workload.num_asked, 1);
}

/// A workload of one request, which should have been sent long ago.
class Belated final : public Workload {
 public:
  std::optional<Job> next(double) override {
    if (std::exchange(is_done_, true)) return std::nullopt;
    return Job{.due = -100};
  }
  void finished(const Job&, const std::optional<std::string>&) override {}

 private:
  bool is_done_ = false;
};

TEST(Runner, TimesARequestFromWhenItWasDueAndEndsItFromWhenItWasSent) {
  const TemporaryDirectory directory;
  const SilentServer server(directory.path() / "socket");
  Belated workload;
  const std::vector<Result> results =
      run("unix:" + server.path(), workload, {.seconds = 0.3, .drain_seconds = 0, .timeout_seconds = 50});
  ASSERT_EQ(results.size(), 1);
  EXPECT_EQ(results[0].outcome, kUnderWay);  // no "timeout"
  EXPECT_EQ(results[0].begin, -100);
  EXPECT_GE(results[0].sent, 0);
}

}  // namespace
}  // namespace cleave::load
