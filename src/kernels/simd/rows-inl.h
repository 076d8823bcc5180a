// Kernels that walk along rows: norms, softmax, elementwise functions.
#pragma once

#include "kernels/params/unary_kind.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// Elementwise functions, y[i] = f(a[i]) and y[i] = f(a[i], b[i]), in whole vectors and one partial one.
template <class F>
CLEAVE_INLINE void map(const float* a, int64_t count, float* y, F f) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, f(load(a + i)));
  if (i < count) store_part(y + i, f(load_part(a + i, count - i)), count - i);
}
template <class F>
CLEAVE_INLINE void map(const float* a, const float* b, int64_t count, float* y, F f) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, f(load(a + i), load(b + i)));
  if (i < count) store_part(y + i, f(load_part(a + i, count - i), load_part(b + i, count - i)), count - i);
}

// The sum of f(x[i]), in four vectors of partial sums. Lanes beyond the end get `fill`. REQUIRES: f(fill) is 0.
template <class F>
CLEAVE_INLINE float sum_over(const float* x, int64_t count, float fill, F f) {
  F32 partial[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes)
    for (int j = 0; j < 4; ++j) partial[j] += f(load(x + i + j * kLanes));
  for (; i + kLanes <= count; i += kLanes) partial[0] += f(load(x + i));
  if (i < count) partial[1] += f(load_part(x + i, count - i, fill));
  return sum((partial[0] + partial[1]) + (partial[2] + partial[3]));
}

CLEAVE_INLINE float inverse_root(float x) {
  return 1.0f / __builtin_sqrtf(x);
}

void rms_norm(const float* x, const float* weight, float offset, float eps, int64_t n, float* y) {
  const float squares = sum_over(x, n, 0, [](F32 v) { return v * v; });
  const float factor = inverse_root(squares / static_cast<float>(n) + eps);
  if (weight == nullptr)
    map(x, n, y, [=](F32 v) { return v * factor; });
  else
    map(x, weight, n, y, [=](F32 v, F32 w) { return v * factor * (w + offset); });
}

void layer_norm(const float* x, const float* weight, const float* bias, float eps, int64_t n, float* y) {
  const float mean = sum_over(x, n, 0, [](F32 v) { return v; }) / static_cast<float>(n);
  const float squares = sum_over(x, n, mean, [=](F32 v) { return (v - mean) * (v - mean); });
  const float factor = inverse_root(squares / static_cast<float>(n) + eps);
  map(x, n, y, [=](F32 v) { return (v - mean) * factor; });
  if (weight != nullptr) map(y, weight, n, y, [](F32 v, F32 w) { return v * w; });
  if (bias != nullptr) map(y, bias, n, y, [](F32 v, F32 b) { return v + b; });
}

void softmax(const float* x, int64_t n, float* y) {
  const float lowest = -__builtin_inff();
  F32 top = set(lowest);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) top = max(load(x + i), top);
  if (i < n) top = max(load_part(x + i, n - i, lowest), top);
  const float peak = largest(top);
  if (peak == lowest) {
    map(x, n, y, [](F32) { return F32{}; });
    return;
  }
  map(x, n, y, [=](F32 v) { return exp(v - peak); });
  const float factor = 1.0f / sum_over(y, n, 0, [](F32 v) { return v; });
  map(y, n, y, [=](F32 v) { return v * factor; });
}

void add(const float* a, const float* b, int64_t count, float* y) {
  map(a, b, count, y, [](F32 u, F32 v) { return u + v; });
}
void mul(const float* a, const float* b, int64_t count, float* y) {
  map(a, b, count, y, [](F32 u, F32 v) { return u * v; });
}
void scale(const float* x, float factor, int64_t count, float* y) {
  map(x, count, y, [=](F32 v) { return v * factor; });
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), one lane at a time: no model spends time here.
CLEAVE_INLINE F32 softplus(F32 x) {
  F32 y = x;
  for (int i = 0; i < kLanes; ++i)
    y[i] = (x[i] > 0 ? x[i] : 0.0f) + __builtin_log1pf(__builtin_expf(-__builtin_fabsf(x[i])));
  return y;
}

// A function applied lane by lane, for functions that no model spends time in.
template <class F>
CLEAVE_INLINE F32 each(F32 x, F f) {
  F32 y = x;
  for (int i = 0; i < kLanes; ++i) y[i] = f(x[i]);
  return y;
}

template <UnaryKind kKind>
CLEAVE_INLINE F32 apply(F32 x) {
  if constexpr (kKind == UnaryKind::Silu) return x * sigmoid(x);
  if constexpr (kKind == UnaryKind::Gelu) return 0.5f * x * (1.0f + erf(x * 0.70710678118654752f));
  if constexpr (kKind == UnaryKind::GeluTanh)
    return 0.5f * x * (1.0f + tanh(0.79788456080286536f * (x + 0.044715f * x * x * x)));
  if constexpr (kKind == UnaryKind::Relu) return x < 0.0f ? F32{} : x;
  if constexpr (kKind == UnaryKind::Relu2) return x < 0.0f ? F32{} : x * x;
  if constexpr (kKind == UnaryKind::Tanh) return tanh(x);
  if constexpr (kKind == UnaryKind::Sigmoid) return sigmoid(x);
  if constexpr (kKind == UnaryKind::Exp) return exp(x);
  if constexpr (kKind == UnaryKind::Softplus) return softplus(x);
  if constexpr (kKind == UnaryKind::Log) return each(x, [](float v) { return __builtin_logf(v); });
  if constexpr (kKind == UnaryKind::Floor) return each(x, [](float v) { return __builtin_floorf(v); });
  if constexpr (kKind == UnaryKind::Sqrt) return each(x, [](float v) { return __builtin_sqrtf(v); });
}

template <UnaryKind kKind>
void unary(const float* x, int64_t count, float* y) {
  map(x, count, y, [](F32 v) { return apply<kKind>(v); });
}
template <UnaryKind kKind>
void gate(const float* a, const float* b, int64_t count, float* y) {
  map(a, b, count, y, [](F32 u, F32 v) { return apply<kKind>(u) * v; });
}

void to_bfloat16(const float* x, int64_t count, uint16_t* y) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store_as(y + i, round_to_bfloat16(load(x + i)));
  if (i == count) return;
  const U16 last = round_to_bfloat16(load_part(x + i, count - i));
  for (int64_t j = 0; i + j < count; ++j) y[i + j] = last[j];
}

}  // namespace
}  // namespace cleave::kernels::simd
