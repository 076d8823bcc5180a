// The parts of attention-inl.h that know no cache: readers of stored numbers, one small product of matrices,
// exponentials.
#pragma once

#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// Readers of kLanes stored numbers. Numbers of int8 come without their scales.
CLEAVE_INLINE F32 load_int8(const int8_t* p) {
#if defined(__AVX512F__)  // intrinsics: g++ 12 converts element by element
  return bits<F32>(_mm512_maskz_cvtepi32_ps(0xffff, _mm512_maskz_cvtepi8_epi32(0xffff, load_as<__m128i>(p))));
#elif defined(__AVX2__)
  return bits<F32>(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))));
#else
  using Lanes = int8_t __attribute__((vector_size(kLanes)));
  return __builtin_convertvector(load_as<Lanes>(p), F32);
#endif
}

struct HalfValues {
  using Element = uint16_t;
  static CLEAVE_INLINE F32 get(const uint16_t* p) { return load_half(p); }
};

struct FloatValues {
  using Element = float;
  static CLEAVE_INLINE F32 get(const float* p) { return load(p); }
};

struct ByteValues {
  using Element = int8_t;
  static CLEAVE_INLINE F32 get(const int8_t* p) { return load_int8(p); }
};

// The first `count` numbers, at most kLanes; the others are zeros.
template <class Values>
CLEAVE_INLINE F32 get_part(const typename Values::Element* p, int64_t count) {
  if (count >= kLanes) return Values::get(p);
  typename Values::Element whole[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) whole[i] = p[i];
  return Values::get(whole);
}

// Query vectors of a product at a time. With two vectors of columns that makes sixteen (AVX-512) or eight registers of
// sums, enough to hide the latency of multiplications.
constexpr int kQueryRows = kBytes == 64 ? 8 : 4;

// A product of kQ rows of a with some columns of b: c[i][j] = (c[i][j] or 0) + sum over t < depth of a[i][t] * b[t][j].
// It is summed in the order of t, whatever kQ and the number of columns.
template <class Values>
struct RowProduct {
  using Element = typename Values::Element;
  const float* a;
  const Element* b;
  float* c;
  int64_t a_stride, b_stride, c_stride;
  int64_t depth;
  bool add;
  int64_t ahead;  // while b is read, what lies so many elements further is asked for (0: nothing)
};

// Columns [j, j + kV * kLanes) of the product, of which `count` exist. Not inlined, because it has many callers.
template <class Values, int kQ, int kV, bool kWhole>
__attribute__((noinline)) void multiply_rows(const RowProduct<Values>& p, int64_t j, int64_t count) {
  constexpr int kRowBytes = kV * kLanes * static_cast<int>(sizeof(typename Values::Element));
  const float* a = p.a;
  const auto* b = p.b + j;
  float* c = p.c + j;
  const int64_t a_stride = p.a_stride;
  const int64_t b_stride = p.b_stride;
  const int64_t ahead = p.ahead;
  F32 sums[kQ][kV];
#pragma GCC unroll 8
  for (int i = 0; i < kQ; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kV; ++v) sums[i][v] = p.add ? load(c + i * p.c_stride + v * kLanes) : F32{};
  for (int64_t t = 0; t < p.depth; ++t, b += b_stride, ++a) {
    if (kWhole && ahead != 0)
      for (int offset = 0; offset < kRowBytes; offset += 64)
        __builtin_prefetch(reinterpret_cast<const char*>(b + ahead) + offset, 0, 2);
    F32 columns[kV];
#pragma GCC unroll 4
    for (int v = 0; v < kV; ++v)
      columns[v] = kWhole ? Values::get(b + v * kLanes) : get_part<Values>(b + v * kLanes, count - v * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kQ; ++i) {
      const float factor = a[i * a_stride];
#pragma GCC unroll 4
      for (int v = 0; v < kV; ++v) sums[i][v] += factor * columns[v];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kQ; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kV; ++v) store(c + i * p.c_stride + v * kLanes, sums[i][v]);
}

// All columns of the product. Whole vectors are written, the last one beyond `columns`. Few rows take more columns at a
// time.
template <class Values, int kQ>
CLEAVE_INLINE void multiply_columns(const RowProduct<Values>& p, int64_t columns) {
  constexpr int kV = kQ * 4 <= 2 * kQueryRows ? 4 : 2;
  int64_t j = 0;
  for (; j + kV * kLanes <= columns; j += kV * kLanes) multiply_rows<Values, kQ, kV, true>(p, j, columns - j);
  if constexpr (kV > 2)
    for (; j + 2 * kLanes <= columns; j += 2 * kLanes) multiply_rows<Values, kQ, 2, true>(p, j, columns - j);
  for (; j + kLanes <= columns; j += kLanes) multiply_rows<Values, kQ, 1, true>(p, j, columns - j);
  if (j < columns) multiply_rows<Values, kQ, 1, false>(p, j, columns - j);
}

// Calls body.template operator()<kQ>(row) for groups of kQ rows from `row` on that make up `rows`.
template <class Body>
CLEAVE_INLINE void for_row_groups(int rows, Body body) {
  int row = 0;
  for (; row + kQueryRows <= rows; row += kQueryRows) body.template operator()<kQueryRows>(row);
  if constexpr (kQueryRows > 4)
    for (; row + 4 <= rows; row += 4) body.template operator()<4>(row);
  for (; row + 2 <= rows; row += 2) body.template operator()<2>(row);
  for (; row < rows; ++row) body.template operator()<1>(row);
}

// 2^x for x <= 0, to about 1 ulp; 0 below -126.5 and for minus infinity. x = n + f with |f| <= 1/2; 2^f is a polynomial
// (Cephes exp2f), and n goes into the exponent. Half the work of exp(), which also takes numbers above 0.
CLEAVE_INLINE F32 exp2_negative(F32 x) {
  constexpr float kRound = 12582912.0f + 127.0f;       // 1.5 * 2^23: adding it rounds to an integer; plus the bias
  const F32 clamped = x < -127.0f ? set(-127.0f) : x;  // a NaN stays one
  const F32 shifted = clamped + kRound;
  const F32 f = clamped - (shifted - kRound);
  F32 p = f * 1.535336188319500e-4f + 1.339887440266574e-3f;
  p = p * f + 9.618437357674640e-3f;
  p = p * f + 5.550332471162809e-2f;
  p = p * f + 2.402264791363012e-1f;
  p = p * f + 6.931472028550421e-1f;
  p = p * f + 1.0f;
  return p * bits<F32>(bits<U32>(shifted) << 23);
}

CLEAVE_INLINE I32 lane_numbers() {
  I32 numbers = {};
  for (int i = 0; i < kLanes; ++i) numbers[i] = i;
  return numbers;
}

// Keeps the lanes in [begin, end); all others become minus infinity.
CLEAVE_INLINE F32 keep_lanes(F32 v, int64_t begin, int64_t end) {
  const int32_t first = static_cast<int32_t>(begin > 0 ? begin : 0);
  const int32_t last = static_cast<int32_t>(least(end, kLanes));
  const I32 lanes = lane_numbers();
  return (lanes >= first) & (lanes < last) ? v : set(-__builtin_inff());
}

// The same as largest(), without a detour through memory.
CLEAVE_INLINE float peak(F32 v) {
#if defined(__AVX512F__)
  using Half = float __attribute__((vector_size(32)));
  const Half low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
  const Half high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const Half eight = low > high ? low : high;
#elif defined(__AVX2__)
  const F32 eight = v;
#endif
  using Quarter = float __attribute__((vector_size(16)));
#if defined(__AVX2__)
  const Quarter a = __builtin_shufflevector(eight, eight, 0, 1, 2, 3);
  const Quarter b = __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  const Quarter four = a > b ? a : b;
#else
  const Quarter four = v;
#endif
  const Quarter swapped = __builtin_shufflevector(four, four, 2, 3, 0, 1);
  const Quarter two = four > swapped ? four : swapped;
  return two[0] > two[1] ? two[0] : two[1];
}

}  // namespace
}  // namespace cleave::kernels::simd
