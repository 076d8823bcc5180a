#include "comm/signal.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace cleave::comm {

void Signal::sleep(uint32_t target, std::chrono::nanoseconds limit) const {
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  const uint32_t seen = count_.load(std::memory_order_seq_cst);
  if (static_cast<int32_t>(seen - target) < 0) {
    const timespec timeout = {.tv_sec = limit.count() / 1'000'000'000, .tv_nsec = limit.count() % 1'000'000'000};
    syscall(SYS_futex, &count_, FUTEX_WAIT_PRIVATE, seen, &timeout, nullptr, 0);
  }
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

void Signal::wake() const {
  syscall(SYS_futex, &count_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace cleave::comm
