#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cleave::comm {

/// Signs of life of one rank: ticks, the processor time of its threads, and whether one of them waits for a
/// processor or a disk. A thread that waits in one of our calls wakes up now and then and ticks, so it lives.
/// Thread-safe.
class Pulse {
 public:
  void tick() { ticks_.fetch_add(1, std::memory_order_relaxed); }

  /// From now on the calling thread is the rank's main one. Costs a comparison where it is already.
  void adopt_current_thread() {
    if (owner_.load(std::memory_order_relaxed) != pthread_self()) adopt();
  }

  /// Other threads that the rank computes with, in place of earlier ones: their numbers (gettid). They may end before
  /// this object.
  void set_helpers(std::span<const pid_t> threads);

  struct Sample {
    uint64_t progress = 0;  // differs from the last one where the rank has lived since
    bool ended = false;     // the rank's main thread is no more
    bool is_busy = false;   // a thread runs, or would if it had a processor, or waits for a disk
  };
  Sample sample() const;

 private:
  struct Thread {
    clockid_t clock = 0;  // its processor time
    pid_t id = 0;
    static Thread of(pid_t id);
  };
  void adopt();

  std::atomic<uint64_t> ticks_{0};
  std::atomic<pthread_t> owner_{0};
  mutable std::mutex mutex_;  // guards what follows
  std::optional<Thread> main_;
  std::vector<Thread> helpers_;
};

/// A rank as all groups know it that it is in.
struct Member {
  std::string name;  // for errors: "rank 3"
  std::shared_ptr<Pulse> pulse = std::make_shared<Pulse>();
};

/// "rank 0", "rank 1", ...
std::vector<Member> numbered_members(int num_ranks);

/// Decides, sample by sample, whether what somebody waits for has stalled. Used by one thread.
class StallClock {
 public:
  using Clock = std::chrono::steady_clock;
  explicit StallClock(std::chrono::milliseconds limit) : limit_(limit), changed_(Clock::now()) {}

  /// True when `progress` has been the same, and nothing busy, for longer than the limit, over at least three samples.
  bool stalled(uint64_t progress, bool is_busy = false);

 private:
  std::chrono::milliseconds limit_;
  Clock::time_point changed_;
  uint64_t progress_ = 0;
  int unchanged_samples_ = 0;
};

}  // namespace cleave::comm
