#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/params/rope_params.h"

namespace cleave::kernels {

/// cos[r, i] = cos(positions[r] * inv_freq[i]) * scale and sin likewise, both [rows, half], half = rotary_dim / 2. The
/// angle is a product in f32, as Transformers computes it.
void rope_table(const int32_t* positions, int64_t rows, const float* inv_freq, int64_t half, float scale, float* cos,
                float* sin, ThreadPool& pool);

/// Rotates the pairs of x[rows, heads, head_dim] by the angles of cos, sin [rows, rotary_dim / 2] into y, which may be
/// x: (a, b) becomes (a cos - b sin, b cos + a sin). Su et al., "RoFormer", 2021.
void rope(const float* x, int64_t rows, const RopeParams& params, const float* cos, const float* sin, float* y,
          ThreadPool& pool);

}  // namespace cleave::kernels
