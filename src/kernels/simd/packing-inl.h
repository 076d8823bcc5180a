// Packing of weights: conversion of stored numbers to f32, and quantisation of a strip's rows.
#pragma once

#include "kernels/layout/block_layout.h"
#include "kernels/simd/kv-inl.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

CLEAVE_INLINE F32 load_bfloat16(const void* p) {
  return bits<F32>(__builtin_convertvector(load_as<U16>(p), U32) << 16);
}

// kLanes numbers of f16, which may be infinite or NaN.
CLEAVE_INLINE F32 load_any_half(const void* p) {
  const F32 v = load_half(p);
#if defined(__AVX2__)
  return v;  // the instruction knows them
#else
  const U32 x = __builtin_convertvector(load_as<U16>(p), U32);
  const U32 special = 0x7f800000u | (x & 0x3ffu) << 13 | (x & 0x8000u) << 16;
  return (x & 0x7c00u) == 0x7c00u ? bits<F32>(special) : v;
#endif
}

template <class Load>
CLEAVE_INLINE void widen_16(const void* from, int64_t count, float* to, Load load_16) {
  const auto* p = static_cast<const char*>(from);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(to + i, load_16(p + i * 2));
  if (i == count) return;
  uint16_t rest[kLanes] = {};
  __builtin_memcpy(rest, p + i * 2, static_cast<size_t>(count - i) * 2);
  store_part(to + i, load_16(rest), count - i);
}

void widen_bfloat16(const void* from, int64_t count, float* to) {
  widen_16(
      from, count, to, [](const void* p) __attribute__((always_inline)) { return load_bfloat16(p); });
}

void widen_half(const void* from, int64_t count, float* to) {
  widen_16(
      from, count, to, [](const void* p) __attribute__((always_inline)) { return load_any_half(p); });
}

// The elements of a group, with kLanes rows of the strip side by side: element i of these rows stands at x + i *
// kStripRows.
constexpr int kQuantGroup = 32;

CLEAVE_INLINE F32 round_to_integer(F32 x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23, see exp()
  return x + kRound - kRound;
}

// Whether all numbers of a strip's group are finite, which means that none has an exponent of ones.
CLEAVE_INLINE bool all_finite(const float* x) {
  I32 top = {};
  for (int i = 0; i < kQuantGroup * kStripRows; i += kLanes) {
    const I32 magnitude = bits<I32>(absolute(load(x + i)));
    top = magnitude > top ? magnitude : top;
  }
  bool finite = true;
  for (int i = 0; i < kLanes; ++i) finite = finite && top[i] < 0x7f800000;
  return finite;
}

CLEAVE_INLINE U32 to_integer(F32 x) {
  return bits<U32>(__builtin_convertvector(x, I32));
}

// Symmetric 8-bit quantisation of a group of 32 elements of kStripRows rows, x[32][kStripRows], into a record of the
// layout Q8_0. False where a number is not finite.
bool quantize_int8(const float* x, std::byte* record) {
  if (!all_finite(x)) return false;
  auto* out = reinterpret_cast<uint8_t*>(record);
  for (int lane = 0; lane < kStripRows; lane += kLanes) {
    F32 top = {};
    for (int i = 0; i < kQuantGroup; ++i) top = max(absolute(load(x + i * kStripRows + lane)), top);
    const U16 stored = to_half(top / 127.0f);
    store_as(out + lane * 2, stored);
    const F32 scale = load_half(&stored);
    const F32 inverse = scale > 0.0f ? 1.0f / scale : F32{};
    for (int j = 0; j < kQuantGroup / 4; ++j) {
      U32 word = {};
      for (int i = 0; i < 4; ++i) {
        const F32 v = load(x + (4 * j + i) * kStripRows + lane) * inverse;
        const F32 level = max(min(round_to_integer(v), set(127.0f)), set(-127.0f)) + 128.0f;
        word |= to_integer(level) << (8 * i);
      }
      store_as(out + 2 * kStripRows + 64 * j + 4 * lane, word);
    }
  }
  return true;
}

// A scale and a minimum for levels 0 ... 15, and `gain`, the sum of x^2 minus the squared error that they leave.
struct Fit {
  F32 scale, minimum, gain;
};

// Rounds x to levels, `inverse` levels per unit above `low`, and finds the scale and minimum that suit these levels
// best, by least squares.
CLEAVE_INLINE Fit fit_levels(const float* x, F32 low, F32 inverse, F32 sum_x) {
  const F32 shift = -low * inverse;
  F32 sum = {}, squares = {}, products = {};
  for (int i = 0; i < kQuantGroup; ++i) {
    const F32 v = load(x + i * kStripRows);
    const F32 level = max(min(round_to_integer(v * inverse + shift), set(15.0f)), F32{});
    sum += level;
    squares += level * level;
    products += level * v;
  }
  constexpr float kCount = kQuantGroup;
  const F32 determinant = kCount * squares - sum * sum;
  const F32 one_over = determinant > 0.0f ? 1.0f / determinant : F32{};
  Fit fit;
  fit.scale = (kCount * products - sum_x * sum) * one_over;
  fit.minimum = (squares * sum_x - sum * products) * one_over;
  fit.gain = fit.scale * products + fit.minimum * sum_x;
  return fit;
}

// Numbers of levels into which the range of a group is cut, all of which are tried. 15 cut nothing off; more cut off
// the ends. Root mean square error of normally distributed numbers:
//   minimum and maximum alone, without a fit           7.8%
//   15 alone                                           7.5%
//   these five; seven or nine do no better             7.3%
//   symmetric levels (Q4_0, half a bit less)           8.6%
constexpr float kTries[] = {15.0f, 14.6f, 15.4f, 15.8f, 16.4f};

// 4-bit quantisation with scale and minimum of a group of 32 elements of kStripRows rows, x[32][kStripRows], into a
// record of the layout Q4_1: the best of some ranges by squared error. False where a number is not finite.
bool quantize_int4(const float* x, std::byte* record) {
  if (!all_finite(x)) return false;
  auto* out = reinterpret_cast<uint8_t*>(record);
  for (int lane = 0; lane < kStripRows; lane += kLanes) {
    const float* columns = x + lane;
    F32 low = load(columns), high = low, sum_x = {};
    for (int i = 0; i < kQuantGroup; ++i) {
      const F32 v = load(columns + i * kStripRows);
      low = min(v, low);
      high = max(v, high);
      sum_x += v;
    }
    const F32 range = high - low;
    const F32 per_range = range > 0.0f ? 1.0f / range : F32{};
    Fit best = {range / 15.0f, low, set(-__builtin_inff())};
    for (const float levels : kTries) {
      const F32 inverse = levels * per_range;
      // The middle of the range becomes the middle of the levels.
      const F32 start = low + range * (0.5f - 7.5f / levels);
      const Fit fit = fit_levels(columns, start, inverse, sum_x);
      const auto better = (fit.gain > best.gain) & (fit.scale > 0.0f);
      best.scale = better ? fit.scale : best.scale;
      best.minimum = better ? fit.minimum : best.minimum;
      best.gain = better ? fit.gain : best.gain;
    }
    const U16 scale = to_half(best.scale), minimum = to_half(best.minimum);
    store_as(out + lane * 2, scale);
    store_as(out + kStripRows * 2 + lane * 2, minimum);
    const F32 step = load_half(&scale);
    const F32 inverse = step > 0.0f ? 1.0f / step : F32{};
    const F32 shift = -load_half(&minimum) * inverse;
    for (int t = 0; t < kQuantGroup / 8; ++t) {
      U32 word = {};
      for (int i = 0; i < 8; ++i) {
        const int element = i < 4 ? 4 * t + i : 12 + 4 * t + i;  // low nibbles, then those of elements from 16 on
        const F32 v = load(columns + element * kStripRows) * inverse + shift;
        word |= to_integer(max(min(round_to_integer(v), set(15.0f)), F32{})) << (i < 4 ? 8 * i : 8 * (i - 4) + 4);
      }
      store_as(out + 4 * kStripRows + 64 * t + 4 * lane, word);
    }
  }
  return true;
}

}  // namespace
}  // namespace cleave::kernels::simd
