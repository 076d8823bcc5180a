#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cleave::server {

/// A few threads for work that is too long for the network's thread: parsing, rendering and tokenising requests. Jobs
/// begin in the order in which they come. Thread-safe.
class Workers {
 public:
  /// At most `max_waiting` jobs wait.
  Workers(int num_threads, size_t max_waiting);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  /// Waits for the jobs that have begun; the others never are.
  ~Workers();

  /// Gives false, and takes nothing, where too many jobs wait. A job must not throw.
  bool run(std::function<void()> job);

 private:
  void work(const std::stop_token& stop);

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable_any filled_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace cleave::server
