#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "load/exchange.h"
#include "load/network/network.h"
#include "load/report/result.h"
#include "load/workload/workload.h"

namespace cleave::load {

/// What bounds a run.
struct RunLimits {
  std::optional<int64_t> requests = {};  // that are begun; absent: any number
  std::optional<double> seconds = {};    // in which requests are begun; absent: any time
  double drain_seconds = 30;             // for those that are under way then
  double timeout_seconds = 600;          // for one request
};

/// A run of requests against a server, as a workload wants them. All but stop() belongs to one thread.
class Runner {
 public:
  /// All references must outlive it. `key`: of the API, "" for none.
  Runner(Network& network, const RequestSettings& settings, std::string key, Workload& workload,
         const RunLimits& limits);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Runs until the limits are reached, and gives what became of every request. `progress` hears how many are over,
  /// from time to time. Call once.
  std::vector<Result> run(const std::function<void(int64_t done)>& progress);
  /// Ends the run as soon as possible. Thread-safe; to be called while run() is under way or before.
  void stop();

 private:
  struct Open {
    std::shared_ptr<Exchange> exchange;
    std::shared_ptr<Connection> connection;
  };

  double now() const;
  bool may_begin() const;
  void pump();
  void begin(Job job);
  void look_at(int64_t id);
  void record(const Exchange& exchange);
  void later(double seconds, void (Runner::*work)());
  void tick();
  void end_late_ones(double time);
  void arm_timer();
  void wake();

  Network& network_;
  const RequestSettings settings_;
  const std::string key_;
  Workload& workload_;
  const RunLimits limits_;
  std::function<void(int64_t)> progress_;
  std::chrono::steady_clock::time_point start_;
  std::unordered_map<int64_t, Open> open_;
  int64_t num_begun_ = 0;
  bool is_armed_ = false;  // a timer leads to pump()
  bool stopped_ = false;
  // Goes with this object: timers of the network that come later find it gone.
  const std::shared_ptr<const int> life_ = std::make_shared<const int>(0);
  std::vector<Result> results_;
};

}  // namespace cleave::load
