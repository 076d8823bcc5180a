#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "runtime/device/device.h"

namespace cleave::runtime {

/// The sum of the progress of ranks that load at the same time. Thread-safe.
class SharedProgress {
 public:
  /// `progress` may be empty; it is called by one thread at a time.
  SharedProgress(size_t ranks, const Progress& progress) : progress_(progress), done_(ranks), total_(ranks) {}

  void update(size_t rank, int64_t done, int64_t total) {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    done_[rank] = done;
    total_[rank] = total;
    int64_t all_done = 0, all = 0;
    for (size_t r = 0; r < done_.size(); ++r) {
      if (total_[r] == 0) return;  // has not begun: the sum would mislead
      all_done += done_[r];
      all += total_[r];
    }
    progress_(all_done, all);
  }

 private:
  const Progress progress_;
  std::mutex mutex_;
  std::vector<int64_t> done_, total_;
};

}  // namespace cleave::runtime
