// The rotation of a key before it is rounded to int8: a Walsh-Hadamard transform of neighbouring dimensions, which
// spreads a large number over all of them (Ashkboos et al., "QuaRot", 2024). Otherwise one large dimension would set
// the scale and cost all others their accuracy. Products of queries and keys do not change when both are rotated, but
// for a factor.
#pragma once

#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// The last steps of a transform, within a vector: of two lanes kWidth apart, the lower gets the sum, the upper the
// difference.
template <int kWidth>
CLEAVE_INLINE F32 rotate_lanes(F32 v) {
  I32 partner = {};
  F32 sign = {};
  for (int i = 0; i < kLanes; ++i) {
    partner[i] = i ^ kWidth;
    sign[i] = (i & kWidth) != 0 ? -1.0f : 1.0f;
  }
  v = __builtin_shuffle(v, partner) + v * sign;
  if constexpr (kWidth > 1) v = rotate_lanes<kWidth / 2>(v);
  return v;
}

CLEAVE_INLINE void rotate_block(float* x, int64_t block) {
  int64_t width = block / 2;
  for (; width >= kLanes; width /= 2)
    for (int64_t a = 0; a < block; a += 2 * width)
      for (int64_t b = a; b < a + width; b += kLanes) {
        const F32 u = load(x + b);
        const F32 v = load(x + b + width);
        store(x + b, u + v);
        store(x + b + width, u - v);
      }
  if (block >= kLanes) {
    for (int64_t b = 0; b < block; b += kLanes) store(x + b, rotate_lanes<kLanes / 2>(load(x + b)));
    return;
  }
  for (; width > 0; width /= 2)
    for (int64_t a = 0; a < block; a += 2 * width)
      for (int64_t b = a; b < a + width; ++b) {
        const float u = x[b];
        x[b] = u + x[b + width];
        x[b + width] = u - x[b + width];
      }
}

// Rotates `count` numbers in place, in blocks of `block`, whole ones. Rotating twice gives the numbers times `block`.
CLEAVE_INLINE void rotate(float* x, int64_t count, int64_t block) {
  for (int64_t i = 0; i < count; i += block) rotate_block(x + i, block);
}

}  // namespace
}  // namespace cleave::kernels::simd
