#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

/// Elements that a thread copies in about the time of a barrier (1-2 microseconds, 32 KB). Less work than that is not
/// worth a second thread.
inline constexpr int64_t kGrainElements = 8192;

/// Bytes of weights that a thread reads in about that time.
inline constexpr int64_t kGrainBytes = 16 << 10;

/// The grain of a parallel_for over rows of `n` elements each, if an element costs `cost` times as much as to copy it.
inline int64_t row_grain(int64_t n, int64_t cost = 1) {
  return std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, n * cost));
}

/// Calls body(thread, begin, end) for chunks of [0, count), each handed to the thread that asks first. For work so long
/// that the other threads should not wait for a slow core, as they do at the end of a parallel_for.
inline void share_out(ThreadPool& pool, int64_t count, int64_t chunk, FunctionRef<void(int, int64_t, int64_t)> body) {
  std::atomic<int64_t> next{0};
  pool.run([&](int thread) {
    for (int64_t begin = next.fetch_add(chunk); begin < count; begin = next.fetch_add(chunk))
      body(thread, begin, std::min(count, begin + chunk));
  });
}

}  // namespace cleave::kernels
