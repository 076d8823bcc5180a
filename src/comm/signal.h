#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace cleave::comm {

/// A counter that one thread raises and others wait for, on a cache line of its own. Built on the kernel's futex,
/// because std::atomic::wait has no time limit. Compared modulo 2^32, so it may wrap around.
class alignas(64) Signal {
 public:
  bool reached(uint32_t target) const {
    return static_cast<int32_t>(count_.load(std::memory_order_acquire) - target) >= 0;
  }
  uint32_t count() const { return count_.load(std::memory_order_relaxed); }

  /// Sets the counter and wakes sleepers; what was written before is visible to whoever sees it.
  void raise(uint32_t count) {
    // Sequentially consistent with sleep(): either this sees the sleeper or the sleeper sees the new count.
    count_.store(count, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) != 0) wake();
  }

  /// Sleeps until the counter reaches the target, for at most `limit`; may return early.
  void sleep(uint32_t target, std::chrono::nanoseconds limit) const;
  void wake() const;

 private:
  std::atomic<uint32_t> count_{0};
  mutable std::atomic<uint32_t> sleepers_{0};
};

}  // namespace cleave::comm
