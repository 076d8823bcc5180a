#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/params/rope_params.h"

namespace cleave::kernels {

/// Writes the cosines and sines of the angles by which positions are rotated, both [rows, half], half = rotary_dim / 2:
///   cos[r, i] = cos(positions[r] * inv_freq[i]) * scale, sin[r, i] likewise
/// The angle is a product in f32, as Transformers computes it.
void rope_table(const int32_t* positions, int64_t rows, const float* inv_freq, int64_t half, float scale, float* cos,
                float* sin, ThreadPool& pool);

/// A rotary embedding (Su et al., "RoFormer", 2021): rotates the pairs of x [rows, heads, head_dim] by the angles of
/// cos and sin [rows, rotary_dim / 2] into y, which may be x. A pair (a, b) becomes (a cos - b sin, b cos + a sin).
void rope(const float* x, int64_t rows, const RopeParams& params, const float* cos, const float* sin, float* y,
          ThreadPool& pool);

}  // namespace cleave::kernels
