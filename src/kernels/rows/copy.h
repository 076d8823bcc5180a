#pragma once

#include <array>
#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

/// A copy of up to five dimensions, outermost first; unused ones have extent 1. Strides are in elements. Any slice,
/// transpose or concatenation of activations is one of these per input.
struct StridedCopy {
  static constexpr int kDims = 5;
  std::array<int64_t, kDims> extent = {1, 1, 1, 1, 1};
  std::array<int64_t, kDims> source_stride = {0, 0, 0, 0, 0};
  std::array<int64_t, kDims> target_stride = {0, 0, 0, 0, 0};
};

/// target[sum i_d * target_stride_d] = source[sum i_d * source_stride_d] for every index i. A source stride of 0
/// repeats. REQUIRES: source and target do not overlap.
void copy_strided(const float* source, float* target, const StridedCopy& copy, ThreadPool& pool);

}  // namespace cleave::kernels
