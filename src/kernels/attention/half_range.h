#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"

namespace cleave::kernels {

/// Whether f16 can hold all of x[count]: none lies beyond its largest number, 65504, and none is infinite or NaN.
bool fits_half(const float* x, int64_t count, ThreadPool& pool);

/// Converts numbers of f16 to f32: to[i] = from[i], of which there are to.size(). Memory of `to` that would get zeros
/// alone is not touched, so that what was never used of a large cache does not become resident. REQUIRES: `to` holds
/// zeros.
void widen_half(const std::byte* from, std::span<float> to, ThreadPool& pool);

}  // namespace cleave::kernels
