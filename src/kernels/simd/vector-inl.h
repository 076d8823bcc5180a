// Vectors of one instruction set, and functions of them. They are written with the compiler's vector extension, so that
// the same source serves all widths. Everything is in an unnamed namespace, and nothing of the standard library is
// called: an inline function that other files share might be linked in the version compiled here, with instructions
// that the processor lacks.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define CLEAVE_INLINE __attribute__((always_inline, unused)) inline

namespace cleave::kernels::simd {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
constexpr int kLanes = kBytes / 4;

using F32 = float __attribute__((vector_size(kBytes)));
using I32 = int32_t __attribute__((vector_size(kBytes)));
using U32 = uint32_t __attribute__((vector_size(kBytes)));
using U16 = uint16_t __attribute__((vector_size(kBytes / 2)));
using U8 = uint8_t __attribute__((vector_size(kBytes)));

template <class V, class T>
CLEAVE_INLINE V load_as(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
CLEAVE_INLINE void store_as(T* p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}
template <class To, class From>
CLEAVE_INLINE To bits(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &v, sizeof to);
  return to;
}

CLEAVE_INLINE F32 set(float x) {
  return x - F32{};
}
CLEAVE_INLINE F32 load(const float* p) {
  return load_as<F32>(p);
}
CLEAVE_INLINE void store(float* p, F32 v) {
  store_as(p, v);
}

// kLanes numbers of f16. REQUIRES: they are finite.
CLEAVE_INLINE F32 load_half(const void* p) {
#if defined(__AVX512F__)
  return bits<F32>(_mm512_maskz_cvtph_ps(0xffff, load_as<__m256i>(p)));  // maskz: g++ 12 warns of the plain ones
#elif defined(__AVX2__)
  return bits<F32>(_mm256_cvtph_ps(load_as<__m128i>(p)));
#else
  // The method of base/float16.h.
  const U32 x = __builtin_convertvector(load_as<U16>(p), U32);
  const F32 magnitude = bits<F32>((x & 0x7fffu) << 13) * 0x1p112f;
  return bits<F32>(bits<U32>(magnitude) | (x & 0x8000u) << 16);
#endif
}

// kLanes bytes widened to 32 bits. Written out because g++ 12 converts them one by one, which reads 10 GB/s of Q4_K
// instead of 30.
CLEAVE_INLINE I32 load_unsigned_bytes(const void* p) {
#if defined(__AVX512F__)
  return bits<I32>(_mm512_maskz_cvtepu8_epi32(0xffff, load_as<__m128i>(p)));
#elif defined(__AVX2__)
  return bits<I32>(_mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
#else
  return __builtin_convertvector(load_as<uint8_t __attribute__((vector_size(kLanes)))>(p), I32);
#endif
}
CLEAVE_INLINE I32 load_signed_bytes(const void* p) {
#if defined(__AVX512F__)
  return bits<I32>(_mm512_maskz_cvtepi8_epi32(0xffff, load_as<__m128i>(p)));
#elif defined(__AVX2__)
  return bits<I32>(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p))));
#else
  return __builtin_convertvector(load_as<int8_t __attribute__((vector_size(kLanes)))>(p), I32);
#endif
}

// Bytes of a table of sixteen. REQUIRES: indices are below 16.
CLEAVE_INLINE U8 look_up_16(const uint8_t* table, U8 index) {
#if defined(__AVX512BW__)
  const __m512i repeated = _mm512_maskz_broadcast_i32x4(0xffff, load_as<__m128i>(table));
  return bits<U8>(_mm512_shuffle_epi8(repeated, bits<__m512i>(index)));
#elif defined(__AVX2__)
  const __m256i repeated = _mm256_broadcastsi128_si256(load_as<__m128i>(table));
  return bits<U8>(_mm256_shuffle_epi8(repeated, bits<__m256i>(index)));
#else
  for (int i = 0; i < kBytes; ++i) index[i] = table[index[i]];
  return index;
#endif
}

// Prefetches the kCount bytes that a stream of weights reaches one page later (see wants_prefetch()).
constexpr int kAhead = 4096;
template <int kCount>
CLEAVE_INLINE void prefetch(const void* p) {
  for (int i = 0; i < kCount; i += 64) __builtin_prefetch(static_cast<const char*>(p) + kAhead + i);
}

// The first `count` lanes of a vector, count in [0, kLanes). load_part() makes all others `fill`.
CLEAVE_INLINE F32 load_part(const float* p, int64_t count, float fill = 0) {
  F32 v = set(fill);
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
CLEAVE_INLINE void store_part(float* p, F32 v, int64_t count) {
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
}

#if defined(__AVX512F__)
// The lanes of the j-th vector of a row that lie within its `columns` columns.
CLEAVE_INLINE __mmask16 lanes_within(int64_t columns, int j) {
  const int64_t count = columns - static_cast<int64_t>(j) * kLanes;
  return count >= kLanes ? 0xffff : count <= 0 ? 0 : static_cast<__mmask16>((1u << count) - 1);
}
#endif

// a * b + c, rounded once if the processor can. Leaving the contraction to the compiler is not enough where results
// must agree, because it may contract in one branch of a condition and not in the other.
CLEAVE_INLINE F32 multiply_add(F32 a, F32 b, F32 c) {
#if defined(__AVX512F__)
  return bits<F32>(_mm512_fmadd_ps(bits<__m512>(a), bits<__m512>(b), bits<__m512>(c)));
#elif defined(__FMA__)
  return bits<F32>(_mm256_fmadd_ps(bits<__m256>(a), bits<__m256>(b), bits<__m256>(c)));
#else
  return a * b + c;
#endif
}

CLEAVE_INLINE F32 max(F32 a, F32 b) {
  return a > b ? a : b;
}
CLEAVE_INLINE F32 min(F32 a, F32 b) {
  return a < b ? a : b;
}
CLEAVE_INLINE int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// The sum and the maximum of the lanes. Halves are folded onto one another, always in the same order.
CLEAVE_INLINE float sum(F32 v) {
  float lanes[kLanes];
  store(lanes, v);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
}
CLEAVE_INLINE float largest(F32 v) {
  float lanes[kLanes];
  store(lanes, v);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] = lanes[i] > lanes[i + width] ? lanes[i] : lanes[i + width];
  return lanes[0];
}

// Transposes: lane j of row i becomes lane i of row j. Each step interleaves the upper half of the rows with the lower.
CLEAVE_INLINE void transpose_lanes(F32 (&rows)[kLanes]) {
  I32 first, second;
  for (int i = 0; i < kLanes; ++i) {
    first[i] = i / 2 + i % 2 * kLanes;
    second[i] = first[i] + kLanes / 2;
  }
#pragma GCC unroll 4
  for (int step = kLanes; step > 1; step /= 2) {
    F32 next[kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = __builtin_shuffle(rows[i], rows[i + kLanes / 2], first);
      next[2 * i + 1] = __builtin_shuffle(rows[i], rows[i + kLanes / 2], second);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}

// Rounds to bf16, the upper half of a float.
CLEAVE_INLINE U16 round_to_bfloat16(F32 v) {  // to nearest even; NaN becomes a quiet NaN
#if defined(__AVX512BF16__)
  return bits<U16>(_mm512_cvtneps_pbh(bits<__m512>(v)));  // subnormal numbers become 0
#else
  const U32 x = bits<U32>(v);
  const U32 rounded = (x + 0x7fffu + ((x >> 16) & 1u)) >> 16;
  return __builtin_convertvector((x & 0x7fffffffu) > 0x7f800000u ? (x >> 16) | 0x40u : rounded, U16);
#endif
}

// e^x to about 1 ulp; 0 below -87.33 and infinity above 88.37. x = n ln 2 + r with |r| <= ln 2 / 2; e^r is a polynomial
// (Cephes expf), and n goes into the exponent.
CLEAVE_INLINE F32 exp(F32 x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const F32 clamped = max(min(x, set(88.37f)), set(-87.33f));
  const F32 shifted = clamped * 1.44269504088896341f + kRound;
  const F32 n = shifted - kRound;
  const F32 r = clamped - n * 0.693359375f - n * -2.12194440e-4f;
  F32 p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const F32 power = bits<F32>((bits<U32>(shifted) + 127u) << 23);
  F32 result = p * power;
  result = x < -87.33f ? F32{} : result;
  result = x > 88.37f ? set(__builtin_inff()) : result;
  return x == x ? result : x;  // NOLINT(misc-redundant-expression): false for NaN
}

CLEAVE_INLINE F32 absolute(F32 x) {
  return bits<F32>(bits<U32>(x) & 0x7fffffffu);
}
CLEAVE_INLINE F32 with_sign_of(F32 magnitude, F32 x) {
  return bits<F32>(bits<U32>(magnitude) | (bits<U32>(x) & 0x80000000u));
}

// tanh x as (1 - e^-2|x|) / (1 + e^-2|x|), with the sign of x. Near 0, where that cancels, the first terms of the
// series.
CLEAVE_INLINE F32 tanh(F32 x) {
  const F32 e = exp(-2.0f * absolute(x));
  const F32 far = with_sign_of((1.0f - e) / (1.0f + e), x);
  const F32 s = x * x;
  const F32 near = x + x * s * (-1.0f / 3 + s * (2.0f / 15 + s * (-17.0f / 315)));
  return absolute(x) < 0.15f ? near : far;
}

// erf x as a rational approximation on [-4, 4], beyond which it is +-1 in f32. The coefficients are Eigen's (minimax, 3
// ulp).
CLEAVE_INLINE F32 erf(F32 x) {
  const F32 t = max(min(x, set(4.0f)), set(-4.0f));
  const F32 s = t * t;
  F32 p = s * -2.72614225801306e-10f + 2.77068142495902e-08f;
  p = p * s + -2.10102402082508e-06f;
  p = p * s + -5.69250639462346e-05f;
  p = p * s + -7.34990630326855e-04f;
  p = p * s + -2.95459980854025e-03f;
  p = p * s + -1.60960333262415e-02f;
  F32 q = s * -1.45660718464996e-05f + -2.13374055278905e-04f;
  q = q * s + -1.68282697438203e-03f;
  q = q * s + -7.37332916720468e-03f;
  q = q * s + -1.42647390514189e-02f;
  return t * p / q;
}

CLEAVE_INLINE F32 sigmoid(F32 x) {
  return 1.0f / (1.0f + exp(-x));
}

}  // namespace
}  // namespace cleave::kernels::simd
