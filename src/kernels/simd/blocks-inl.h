// Products of quantised activations with weights in block layouts (kernels/block_layout.h).
//
// For a group of elements: levels are widened to bytes once, multiplied with both bytes of each row of activations into
// 32-bit sums (exactly), and the sums scaled into f32: y += scale_w * scale_x * (sum - zero * sum_x) + minimum_w *
// sum_x. Sums of groups are added in ascending order for every row, so a row's result does not depend on the number of
// rows.
#pragma once

#include <emmintrin.h>

#include "kernels/block_layout.h"
#include "kernels/simd/table.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

using W16 = uint16_t __attribute__((vector_size(kBytes)));  // for shifts; bits that cross a byte are masked off

CLEAVE_INLINE U8 mask_bytes(W16 v, uint8_t mask) {
  return bits<U8>(v) & (mask - U8{});
}
template <int kShift>
CLEAVE_INLINE U8 shift_right(U8 v, uint8_t mask) {
  return mask_bytes(bits<W16>(v) >> kShift, mask);
}
template <int kShift>
CLEAVE_INLINE U8 shift_left(U8 v, uint8_t mask) {
  return mask_bytes(bits<W16>(v) << kShift, mask);
}

// Sixteen-bit products of neighbours, added in pairs.
CLEAVE_INLINE I32 multiply_pairs(I32 a, I32 b) {
#if defined(__AVX512BW__)
  return bits<I32>(_mm512_madd_epi16(bits<__m512i>(a), bits<__m512i>(b)));
#elif defined(__AVX2__)
  return bits<I32>(_mm256_madd_epi16(bits<__m256i>(a), bits<__m256i>(b)));
#else
  return bits<I32>(_mm_madd_epi16(bits<__m128i>(a), bits<__m128i>(b)));
#endif
}

// sums[lane] += the four products of unsigned bytes of `levels` and signed bytes at `digits`. kWide: levels may exceed
// 127.
template <bool kWide>
CLEAVE_INLINE I32 dot4(I32 sums, U8 levels, const int8_t* digits) {
#if defined(__AVX512VNNI__)
  // Written out because g++ 12 merges two neighbouring loads into one of a general register and broadcasts from there:
  // 45 cycles for 288 bytes of Q4_0 instead of the 20 that loads and products need.
  using Four = int8_t[4];
  asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sums) : "v"(levels), "m"(*reinterpret_cast<const Four*>(digits)));
  return sums;
#else
  int32_t x;
  __builtin_memcpy(&x, digits, 4);
#if defined(__AVX2__)
  if constexpr (!kWide) {  // two products of 7 and 8 bits fit into 16
#if defined(__AVX512BW__)
    const I32 pairs = bits<I32>(_mm512_maddubs_epi16(bits<__m512i>(levels), _mm512_set1_epi32(x)));
#else
    const I32 pairs = bits<I32>(_mm256_maddubs_epi16(bits<__m256i>(levels), _mm256_set1_epi32(x)));
#endif
    return sums + multiply_pairs(pairs, 0x00010001 - I32{});
  }
#endif
  // Even and odd bytes, widened to 16 bits.
  const auto even = static_cast<int32_t>((static_cast<uint32_t>(static_cast<int8_t>(x >> 16)) << 16) |
                                         static_cast<uint16_t>(static_cast<int8_t>(x)));
  const auto odd = static_cast<int32_t>((static_cast<uint32_t>(static_cast<int8_t>(x >> 24)) << 16) |
                                        static_cast<uint16_t>(static_cast<int8_t>(x >> 8)));
  const I32 even_levels = bits<I32>(bits<U32>(levels) & 0x00ff00ffu);
  const I32 odd_levels = bits<I32>((bits<U32>(levels) >> 8) & 0x00ff00ffu);
  return sums + multiply_pairs(even_levels, even - I32{}) + multiply_pairs(odd_levels, odd - I32{});
#endif
}

// Levels as offsets from -zero: what kIq4Values and kMxfp4Values of tensor/blocks.h hold, plus the layout's zero.
alignas(16) constexpr uint8_t kIq4Codes[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
alignas(16) constexpr uint8_t kMxfp4Codes[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

template <Codebook kCodebook>
CLEAVE_INLINE U8 look_up(U8 index) {
  if constexpr (kCodebook == Codebook::None) return index;
  const uint8_t* codes = kCodebook == Codebook::Iq4 ? kIq4Codes : kMxfp4Codes;
#if defined(__AVX512BW__)
  const __m512i table = _mm512_maskz_broadcast_i32x4(0xffff, load_as<__m128i>(codes));
  return bits<U8>(_mm512_shuffle_epi8(table, bits<__m512i>(index)));
#elif defined(__AVX2__)
  const __m256i table = _mm256_broadcastsi128_si256(load_as<__m128i>(codes));
  return bits<U8>(_mm256_shuffle_epi8(table, bits<__m256i>(index)));
#else
  for (int i = 0; i < kBytes; ++i) index[i] = codes[index[i]];
  return index;
#endif
}

// Levels of one group as bytes: levels[j] has elements 4j ... 4j + 3 of kLanes rows. `p` points at the first vector's
// part for these rows; vectors are 64 bytes apart.
template <BlockLayout kLayout, int kVectors>
CLEAVE_INLINE void unpack_levels(const uint8_t* p, U8 (&levels)[kVectors]) {
  constexpr int kHalf = kVectors / 2;
  const auto vector = [p](int index) { return load_as<U8>(p + index * 64); };
  if constexpr (kLayout.bits == 8) {
    for (int j = 0; j < kVectors; ++j) levels[j] = vector(j);
  } else if constexpr (kLayout.bits == 2) {
    const U8 pairs = vector(0);
    levels[0] = mask_bytes(bits<W16>(pairs), 3);
    levels[1] = shift_right<2>(pairs, 3);
    levels[2] = shift_right<4>(pairs, 3);
    levels[3] = shift_right<6>(pairs, 3);
  } else {
    for (int t = 0; t < kHalf; ++t) {
      const U8 nibbles = vector(t);
      levels[t] = look_up<kLayout.codebook>(mask_bytes(bits<W16>(nibbles), 15));
      levels[t + kHalf] = look_up<kLayout.codebook>(shift_right<4>(nibbles, 15));
    }
  }
  if constexpr (kLayout.bits == 5) {
    const U8 plane = vector(kHalf);
    levels[0] |= shift_left<4>(plane, 16);
    levels[1] |= shift_left<3>(plane, 16);
    levels[2] |= shift_left<2>(plane, 16);
    levels[3] |= shift_left<1>(plane, 16);
    levels[4] |= mask_bytes(bits<W16>(plane), 16);
    levels[5] |= shift_right<1>(plane, 16);
    levels[6] |= shift_right<2>(plane, 16);
    levels[7] |= shift_right<3>(plane, 16);
  }
  if constexpr (kLayout.bits == 6) {
    const U8 plane = vector(kHalf);
    levels[0] |= shift_left<4>(plane, 48);
    levels[1] |= shift_left<2>(plane, 48);
    levels[2] |= mask_bytes(bits<W16>(plane), 48);
    levels[3] |= shift_right<2>(plane, 48);
  }
}

template <ScaleKind kKind>
CLEAVE_INLINE F32 load_scale(const uint8_t* p) {
  if constexpr (kKind == ScaleKind::Bfloat16)
    return bits<F32>(__builtin_convertvector(load_as<U16>(p), U32) << 16);
  else
    return load_half(p);
}

using SmallI8 = int8_t __attribute__((vector_size(kLanes)));

// Scales and minima of a group of kLanes rows.
struct GroupScale {
  F32 scale;
  F32 minimum;
};

template <BlockLayout kLayout>
CLEAVE_INLINE GroupScale group_scale(GroupScale record, const uint8_t* p) {
  if constexpr (kLayout.scale == ScaleKind::Small) {
    record.scale *= __builtin_convertvector(load_signed_bytes(p), F32);
    if constexpr (kLayout.minimum) record.minimum *= __builtin_convertvector(load_unsigned_bytes(p + kStripRows), F32);
  } else if constexpr (kLayout.scale == ScaleKind::Nibbles) {
    const I32 both = load_unsigned_bytes(p);
    record.scale *= __builtin_convertvector(both & 15, F32);
    record.minimum *= __builtin_convertvector(both >> 4, F32);
  }
  return record;
}

// kM rows of activations from `row` on times kLanes rows of the strip, from `lane` on.
template <BlockLayout kLayout, int kM>
CLEAVE_INLINE void block_tile(const BlockTile& tile, int64_t row, const uint8_t* strip, int lane, int64_t column) {
  constexpr int kVectors = kLayout.group / 4;
  constexpr bool kWide = kLayout.bits == 8 || kLayout.codebook == Codebook::Iq4;
  const int64_t groups = tile.k / kLayout.group;
  const int8_t* digits = tile.x.digits + row * tile.k * 2;
  const float* scales = tile.x.scales + row * groups;
  const float* sums = tile.x.sums + row * groups;
  const int32_t* offsets = tile.x.offsets + row * groups;
  F32 total[kM] = {};
  for (int64_t g = 0; g < groups;) {
    if constexpr (kM <= 2) prefetch<kLayout.record_bytes()>(strip);
    GroupScale record = {load_scale<kLayout.scale>(strip + lane * 2), {}};
    if constexpr (kLayout.minimum) record.minimum = load_half(strip + kStripRows * 2 + lane * 2);
    strip += kLayout.header_bytes();
    for (int in_record = 0; in_record < kLayout.groups; ++in_record, ++g) {
      const GroupScale w = group_scale<kLayout>(record, strip + lane);
      strip += kLayout.scale_bytes();
      U8 levels[kVectors];
      unpack_levels<kLayout>(strip + lane * 4, levels);
      strip += kLayout.level_bytes();
#pragma GCC unroll 8  // keeps totals in registers, as g++ 12 alone does not: 339 for 285 GFLOP/s (Q4_1, 8 rows)
      for (int a = 0; a < kM; ++a) {
        I32 high = {};
        I32 low = kLayout.minimum ? I32{} : offsets[a * groups + g] - I32{};
#pragma GCC unroll 8
        for (int j = 0; j < kVectors; ++j) {
          const int8_t* x = digits + (a * tile.k + g * kLayout.group + j * 4) * 2;
          high = dot4<kWide>(high, levels[j], x);
          low = dot4<kWide>(low, levels[j], x + 4);
        }
        total[a] += __builtin_convertvector((high << 8) + low, F32) * (w.scale * scales[a * groups + g]);
        if constexpr (kLayout.minimum) total[a] += w.minimum * sums[a * groups + g];
      }
    }
  }
  const int64_t count = least(tile.columns - column, kLanes);
  for (int a = 0; a < kM; ++a) {
    float* y = tile.y + (row + a) * tile.ldy + column;
    if (count == kLanes)
      store(y, total[a]);
    else
      store_part(y, total[a], count);
  }
}

template <BlockLayout kLayout>
void block_product(const BlockTile& tile) {
  constexpr int kM = kBytes == 64 ? 8 : 4;  // sums and levels together fill the registers
  const int64_t strip_bytes = tile.k / kLayout.elements() * kLayout.record_bytes();
  const auto* strip = reinterpret_cast<const uint8_t*>(tile.weights);
  for (int64_t first = 0; first < tile.columns; first += kStripRows, strip += strip_bytes)
    for (int lane = 0; lane < kStripRows && first + lane < tile.columns; lane += kLanes) {
      int64_t row = 0;
      for (; row + kM <= tile.m; row += kM) block_tile<kLayout, kM>(tile, row, strip, lane, first + lane);
      for (; row + 2 <= tile.m; row += 2) block_tile<kLayout, 2>(tile, row, strip, lane, first + lane);
      for (; row < tile.m; ++row) block_tile<kLayout, 1>(tile, row, strip, lane, first + lane);
    }
}

// Writes four high bytes, four low bytes, and so on.
CLEAVE_INLINE void store_digits(int8_t* p, SmallI8 high, SmallI8 low) {
  for (int i = 0; i < kLanes; i += 4) {
    __builtin_memcpy(p + i * 2, reinterpret_cast<const char*>(&high) + i, 4);
    __builtin_memcpy(p + i * 2 + 4, reinterpret_cast<const char*>(&low) + i, 4);
  }
}

// The largest v: its high byte stays within 127 when the low one is rounded to [-128, 127].
constexpr float kMaxQuantized = 127.0f * 256.0f;

// Quantises one row in groups: scale = max |x| / kMaxQuantized, values rounded to nearest and cut into two signed
// bytes. Sums of products fit into 32 bits: 255 * kMaxQuantized * 32 is below 2^28.
void quantize(const float* x, int64_t k, const BlockLayout& layout, int64_t row, const QuantizedRows& out) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23, see exp()
  const int64_t groups = k / layout.group;
  int8_t* digits = out.digits + row * k * 2;
  for (int64_t g = 0; g < groups; ++g, x += layout.group, digits += layout.group * 2) {
    F32 top = {};
    for (int i = 0; i < layout.group; i += kLanes) top = max(absolute(load(x + i)), top);
    const float scale = largest(top) / kMaxQuantized;
    const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
    I32 total = {};
    for (int i = 0; i < layout.group; i += kLanes) {
      const I32 rounded = bits<I32>(load(x + i) * inverse + kRound) - bits<I32>(set(kRound));
      const I32 high = (rounded + 128) >> 8;
      store_digits(digits + i * 2, __builtin_convertvector(high, SmallI8),
                   __builtin_convertvector(rounded - (high << 8), SmallI8));
      total += rounded;
    }
    int32_t sum_of_values = 0;
    for (int i = 0; i < kLanes; ++i) sum_of_values += total[i];
    out.scales[row * groups + g] = scale;
    out.sums[row * groups + g] = scale * static_cast<float>(sum_of_values);
    out.offsets[row * groups + g] = -layout.zero * sum_of_values;
  }
}

}  // namespace
}  // namespace cleave::kernels::simd
