#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/thread_pool.h"
#include "runtime/device/device.h"

namespace cleave::runtime {

/// Many small tasks that the ranks of a process do together between steps, each with all threads of its device. The
/// first rank posts them and waits; threads take one after the other from a common counter. Takes no memory.
///
/// Thread-safe: post() and await_others() are the first rank's, the others take part where they are told to, in the
/// same order, or leave.
class SharedWork {
 public:
  using Task = FunctionRef<void(int64_t index, int worker)>;

  SharedWork(size_t ranks, int threads_per_rank) : done_(ranks), threads_(threads_per_rank) {}

  /// Threads of all ranks.
  int num_workers() const { return static_cast<int>(done_.size()) * threads_; }

  /// REQUIRES: the work before is done. `task` outlives await_others(); it does not throw.
  void post(int64_t count, const Task& task);
  /// Does the tasks that are left, as rank `rank` of this process.
  void take_part(size_t rank, Device& device);
  /// Returns when all other ranks have done their part, or have left.
  void await_others() const;
  /// This rank takes no part any more.
  void leave(size_t rank) { done_[rank] = std::numeric_limits<int64_t>::max(); }

 private:
  std::vector<std::atomic<int64_t>> done_;  // by rank: works that it has taken part in
  const int threads_;
  int64_t posted_ = 0;  // works so far; the first rank's
  const Task* task_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
};

}  // namespace cleave::runtime
