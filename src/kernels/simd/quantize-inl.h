// Rounding of activations to digits, signed bytes, for products with block layouts (blocks-inl.h, levels-inl.h).
#pragma once

#include "kernels/layout/block_layout.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

using SmallI8 = int8_t __attribute__((vector_size(kLanes)));

// Size of a group's largest number from which the group is wide (Digits::OnDemand), as a multiple of the usual size in
// its row: the square of the mean of the roots of all groups' largest numbers, which a few large groups hardly move. A
// tenth of the groups of normally distributed numbers are wide. Kullback-Leibler divergence from exact arithmetic
// (SmolLM2, Q4_1, 2,044 tokens of WikiText), and GFLOP/s of a Zen 4 core (Q4_0, 96 rows):
//   multiple         divergence  GFLOP/s
//   0, all wide      4e-7        200
//   1                2e-4        238
//   1.25             4e-4        314
//   2                7e-4        320
//   infinite         3e-3        340
//   instead of digits, weights and activations rounded to bf16: 1.4e-4, 222
constexpr float kStandsOut = 1.25f;

// The largest v of a wide group. Its high digit stays within 127 when the low one is brought into [-128, 127].
constexpr float kMaxQuantized = 127.0f * 256.0f;

// Rounds to the nearest integer. REQUIRES: |x| < 2^22.
CLEAVE_INLINE I32 nearest(F32 x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23, see exp()
  return bits<I32>(x + kRound) - bits<I32>(set(kRound));
}

// The high digit h of v. The low one, v - 256 * h, lies in [-128, 127].
CLEAVE_INLINE I32 high_digit(I32 v) {
  return (v + 128) >> 8;
}

CLEAVE_INLINE int32_t total_of(I32 v) {
  int32_t total = 0;
  for (int i = 0; i < kLanes; ++i) total += v[i];
  return total;
}

// Rounds x and writes the digits of the result: one digit to `high` if `low` is null, else both. Returns the result.
CLEAVE_INLINE I32 write_digits(F32 x, int8_t* high, int8_t* low) {
  const I32 v = nearest(x), upper = low == nullptr ? v : high_digit(v);
  store_as(high, __builtin_convertvector(upper, SmallI8));
  if (low != nullptr) store_as(low, __builtin_convertvector(v - (upper << 8), SmallI8));
  return v;
}

CLEAVE_INLINE float largest_of_group(const float* x, int group) {
  F32 top = {};
  for (int i = 0; i < group; i += kLanes) top = max(absolute(load(x + i)), top);
  return largest(top);
}

// Rounds one row, group by group, with the scale max |x| / (largest v). Dot products of a group fit into 32 bits: 255 *
// kMaxQuantized * 32 is below 2^28.
void quantize(const float* x, int64_t k, const BlockLayout& layout, Digits digits, int64_t row,
              const QuantizedRows& out) {
  const int64_t groups = k / layout.group, stride = out.interleave;
  const int64_t first = row / stride * stride * groups + row % stride;
  float roots = 0;
  for (int64_t g = 0; g < groups; ++g) {
    const float top = largest_of_group(x + g * layout.group, layout.group);
    out.scales[first + g * stride] = top;
    roots += __builtin_sqrtf(top);
  }
  const float mean = roots / static_cast<float>(groups), limit = kStandsOut * mean * mean;
  for (int64_t g = 0, at = first; g < groups; ++g, at += stride, x += layout.group) {
    const float top = out.scales[at];
    const bool wide = digits == Digits::Two || top > limit;
    const float most = wide ? kMaxQuantized : 127.0f;
    const float inverse = top > 0 ? most / top : 0.0f;
    I32 total = {};
    for (int i = 0; i < layout.group; i += kLanes)
      total += write_digits(load(x + i) * inverse, out.high + at * layout.group + i,
                            wide ? out.low + at * layout.group + i : nullptr);
    const int32_t sum_of_values = total_of(total);
    out.scales[at] = top / most;
    out.sums[at] = top / most * static_cast<float>(sum_of_values);
    out.offsets[at] = -layout.zero * sum_of_values;
    out.wide[at] = wide ? 1 : 0;
  }
}

}  // namespace
}  // namespace cleave::kernels::simd
