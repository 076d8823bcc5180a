#pragma once

#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/params/sequence_span.h"

namespace cleave::kernels {

/// y[t, h, d] = sum over j < width of weight[h, j] * x[t + j - width / 2, h, d], where each span is a whole sequence
/// and what lies outside of it counts as zeros. x and y are [T, heads, dims], weight is [heads, width] of an odd width.
/// Sums are f32, in the order of j. y overlaps nothing.
void centered_conv(const float* x, std::span<const SequenceSpan> spans, int64_t heads, int64_t dims, int64_t width,
                   const float* weight, float* y, ThreadPool& pool);

}  // namespace cleave::kernels
