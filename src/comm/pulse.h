#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace cleave::comm {

/// Signs of life of one rank: ticks, the processor time of its thread, and whether that thread waits for a disk. A
/// thread that waits in one of our calls wakes up now and then and ticks, so it lives. Thread-safe.
class Pulse {
 public:
  void tick() { ticks_.fetch_add(1, std::memory_order_relaxed); }

  /// From now on the calling thread is the rank's. Costs a comparison where it is already.
  void adopt_current_thread() {
    if (owner_.load(std::memory_order_relaxed) != pthread_self()) adopt();
  }

  struct Sample {
    uint64_t progress = 0;        // differs from the last one where the rank has lived since
    bool ended = false;           // the rank's thread is no more
    bool waits_for_disk = false;  // sleeps uninterruptibly in the kernel: a page of a mapped file, a slow mount
  };
  Sample sample() const;

 private:
  void adopt();

  std::atomic<uint64_t> ticks_{0};
  std::atomic<pthread_t> owner_{0};
  std::atomic<clockid_t> clock_{0};  // processor time of the thread; 0 before one was adopted
  std::atomic<pid_t> thread_id_{0};
};

/// Decides, sample by sample, whether what somebody waits for has stalled. Used by one thread.
class StallClock {
 public:
  using Clock = std::chrono::steady_clock;
  explicit StallClock(std::chrono::milliseconds limit) : limit_(limit), changed_(Clock::now()) {}

  /// True when `progress` has been the same for longer than the limit, over at least three samples.
  bool stalled(uint64_t progress);

 private:
  std::chrono::milliseconds limit_;
  Clock::time_point changed_;
  uint64_t progress_ = 0;
  int unchanged_samples_ = 0;
};

}  // namespace cleave::comm
