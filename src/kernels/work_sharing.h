#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

/// Elements that one thread handles in about the time of a barrier (1-2 microseconds, 32 KB): less is not worth a
/// second thread.
inline constexpr int64_t kGrainElements = 8192;

/// The grain of a parallel_for over rows of `n` elements, `cost` times as expensive as a copy.
inline int64_t row_grain(int64_t n, int64_t cost = 1) {
  return std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, n * cost));
}

/// Hands out [0, count) in chunks to whichever thread comes next: long work for which a slow core must not be waited
/// for. Calls body(thread, begin, end).
inline void share_out(ThreadPool& pool, int64_t count, int64_t chunk, FunctionRef<void(int, int64_t, int64_t)> body) {
  std::atomic<int64_t> next{0};
  pool.run([&](int thread) {
    for (int64_t begin = next.fetch_add(chunk); begin < count; begin = next.fetch_add(chunk))
      body(thread, begin, std::min(count, begin + chunk));
  });
}

}  // namespace cleave::kernels
