#pragma once

#include <array>
#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

/// Extents and strides, in elements, of a copy of up to five dimensions, outermost first; those not used have extent 1.
/// A slice or transpose of activations is one such copy, a concatenation one for each input.
struct StridedCopy {
  static constexpr int kDims = 5;
  std::array<int64_t, kDims> extent = {1, 1, 1, 1, 1};
  std::array<int64_t, kDims> source_stride = {0, 0, 0, 0, 0};
  std::array<int64_t, kDims> target_stride = {0, 0, 0, 0, 0};
};

/// Copies element i = (i_0, ..., i_4) for all i below `extent`: target[sum over d of i_d * target_stride_d] =
/// source[sum over d of i_d * source_stride_d]. A source stride of 0 repeats. REQUIRES: source and target do not
/// overlap.
void copy_strided(const float* source, float* target, const StridedCopy& copy, ThreadPool& pool);

}  // namespace cleave::kernels
