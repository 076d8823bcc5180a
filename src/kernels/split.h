#pragma once

#include <algorithm>
#include <cstdint>

namespace cleave::kernels {

/// Elements that one thread handles in about the time of a barrier (1-2 microseconds, 32 KB): less is not worth a
/// second thread.
inline constexpr int64_t kGrainElements = 8192;

/// The grain of a parallel_for over rows of `n` elements, `cost` times as expensive as a copy.
inline int64_t row_grain(int64_t n, int64_t cost = 1) {
  return std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, n * cost));
}

}  // namespace cleave::kernels
