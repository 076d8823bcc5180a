// Products of activations rounded to digits with weights in block layouts (kernels/layout/block_layout.h).
//
// For each group of elements, levels are widened to bytes once. Dot products with the digits of each row of activations
// give exact sums of 32 bits, and these are scaled and added up in f32:
//   y += scale_w * scale_x * (sum - zero * sum_v)                    without minima
//   y += scale_w * scale_x * sum + minimum_w * (scale_x * sum_v)     with minima
// where sum_v is the sum of the group's rounded activations v. Groups are added in ascending order for every row, so
// that a row's result does not depend on the number of rows.
#pragma once

#include <emmintrin.h>

#include "kernels/layout/block_layout.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/unpack-inl.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// Products of 16-bit numbers, neighbours added in pairs.
CLEAVE_INLINE I32 multiply_pairs(I32 a, I32 b) {
#if defined(__AVX512BW__)
  return bits<I32>(_mm512_madd_epi16(bits<__m512i>(a), bits<__m512i>(b)));
#elif defined(__AVX2__)
  return bits<I32>(_mm256_madd_epi16(bits<__m256i>(a), bits<__m256i>(b)));
#else
  return bits<I32>(_mm_madd_epi16(bits<__m128i>(a), bits<__m128i>(b)));
#endif
}

// A dot product of four in each lane: sums[lane] + levels[4 * lane + i] * digits[i] over i. kWide: levels may exceed
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

// The activations of one group in kM rows: digits [kM][group], all else [kM].
struct GroupRows {
  const int8_t *high, *low;
  const float *scales, *sums;
  const int32_t* offsets;
};

// Adds the products of rows [first, first + kRows) with group number kGroup of a unit of weights. The dot products of a
// row wait for one another; several rows side by side hide that latency.
template <BlockLayout kLayout, int kGroup, bool kBoth, int kRows>
CLEAVE_INLINE void add_rows(F32* total, const U8 (&levels)[kUnitVectors<kLayout>], GroupScale w, const GroupRows& x,
                            int first) {
  constexpr bool kWideLevels = kLayout.wide_levels();
  constexpr int kQuads = kLayout.group / 4;
  I32 sums[kRows], low_sums[kRows];
#pragma GCC unroll 8
  for (int a = 0; a < kRows; ++a) {
    const I32 offset = kLayout.minimum ? I32{} : x.offsets[first + a] - I32{};
    sums[a] = kBoth ? I32{} : offset;
    low_sums[a] = offset;
  }
#pragma GCC unroll 8
  for (int j = 0; j < kQuads; ++j)
#pragma GCC unroll 8
    for (int a = 0; a < kRows; ++a) {
      const int64_t at = (first + a) * kLayout.group + j * 4;
      sums[a] = dot4<kWideLevels>(sums[a], levels[kGroup * kQuads + j], x.high + at);
      if constexpr (kBoth) low_sums[a] = dot4<kWideLevels>(low_sums[a], levels[kGroup * kQuads + j], x.low + at);
    }
#pragma GCC unroll 8
  for (int a = 0; a < kRows; ++a) {
    if constexpr (kBoth) sums[a] = (sums[a] << 8) + low_sums[a];
    F32& sum = total[first + a];
    sum = multiply_add(__builtin_convertvector(sums[a], F32), w.scale * x.scales[first + a], sum);
    if constexpr (kLayout.minimum) sum = multiply_add(w.minimum, set(x.sums[first + a]), sum);
  }
}

// Sums of dot products that add_rows() computes side by side.
#if defined(__AVX512VNNI__)
constexpr int kSumsAtOnce = 8;
#else
constexpr int kSumsAtOnce = 2;
#endif

// Adds the products of all kM rows with one group of weights.
template <BlockLayout kLayout, int kGroup, bool kBoth, int kM>
CLEAVE_INLINE void add_group(F32 (&total)[kM], const U8 (&levels)[kUnitVectors<kLayout>], GroupScale w,
                             const GroupRows& x) {
  constexpr int kMost = kSumsAtOnce / (kBoth ? 2 : 1), kRows = kM < kMost ? kM : kMost;
#pragma GCC unroll 8  // keeps totals in registers, as g++ 12 alone does not: 339 for 285 GFLOP/s (Q4_1, 8 rows)
  for (int a = 0; a < kM; a += kRows) add_rows<kLayout, kGroup, kBoth, kRows>(total, levels, w, x, a);
}

// Whether no row's group is wide, so that the unrolled loop over rows needs no branches.
template <int kM>
CLEAVE_INLINE bool none_wide(const uint8_t* wide) {
  if constexpr (kM == 8) return load_as<uint64_t>(wide) == 0;
  if constexpr (kM == 4) return load_as<uint32_t>(wide) == 0;
  return false;
}

// Elements by which digits of a single row are prefetched ahead. From one strip to the next the stream of weights
// pushes them out of the first-level cache, and loads that miss it wait behind those of weights. Rows of 8,192
// elements: 26 GB/s of a core instead of 22 (Q4_0, Zen 4); 64 elements ahead gain nothing, 192 less. Rows of 2,048
// elements read 31 GB/s either way. Going through strips in parts of 2,048 elements instead confuses the processor's
// prefetching: 15 GB/s.
constexpr int64_t kDigitsAhead = 128;

// Adds the products of kM rows with group number kGroup of a unit of weights. `at` is the group's place in arrays of
// one number per group and row.
template <BlockLayout kLayout, int kGroup, int kM, int kInterleave, Digits kDigits>
CLEAVE_INLINE void add_digits(F32 (&total)[kM], const U8 (&levels)[kUnitVectors<kLayout>], GroupScale w,
                              const QuantizedRows& rows, int64_t at) {
  const GroupRows x = {rows.high + at * kLayout.group, rows.low + at * kLayout.group, rows.scales + at, rows.sums + at,
                       rows.offsets + at};
  if constexpr (kInterleave == 1) {
    __builtin_prefetch(x.high + kDigitsAhead);
    __builtin_prefetch(x.low + kDigitsAhead);
  }
  const uint8_t* wide = rows.wide + at;
  if (kDigits == Digits::Two) {
    add_group<kLayout, kGroup, true>(total, levels, w, x);
  } else if (none_wide<kM>(wide)) {
    add_group<kLayout, kGroup, false>(total, levels, w, x);
  } else {
#pragma GCC unroll 8
    for (int a = 0; a < kM; ++a)
      if (wide[a] != 0)
        add_rows<kLayout, kGroup, true, 1>(total, levels, w, x, a);
      else
        add_rows<kLayout, kGroup, false, 1>(total, levels, w, x, a);
  }
}

// The product of kM rows of activations from `row` on, which lie in one tile of kInterleave rows, with kLanes rows of
// the strip from `lane` on. `ahead`: weights are prefetched.
template <BlockLayout kLayout, int kM, int kInterleave, Digits kDigits>
CLEAVE_INLINE void block_tile(const BlockTile& tile, int64_t row, const uint8_t* strip, int lane, int64_t column,
                              bool ahead) {
  const int64_t groups = tile.k / kLayout.group;
  const int in_record = groups_of<kLayout>(tile.groups);
  int64_t at =
      row / kInterleave * kInterleave * groups + row % kInterleave;  // of the group, in arrays of one per group
  F32 total[kM] = {};
  for (int a = 0; a < kM; ++a) __builtin_prefetch(tile.y + (row + a) * tile.ldy + column, 1);
  for (int64_t g = 0; g < groups;) {
    const GroupScale record = load_header<kLayout>(strip, lane);
    strip += kLayout.header_bytes();
    for (int i = 0; i < in_record; i += kLayout.unit(), g += kLayout.unit()) {
      if (ahead) prefetch<kLayout.unit_bytes()>(strip);
      const uint8_t* unit = strip;
      U8 levels[kUnitVectors<kLayout>];
      unpack_levels<kLayout>(strip + kLayout.scale_bytes(), lane, levels);
      strip += kLayout.unit_bytes();
      add_digits<kLayout, 0, kM, kInterleave, kDigits>(total, levels, group_scale<kLayout, 0>(record, unit, lane),
                                                       tile.x, at);
      at += kInterleave;
      if constexpr (kLayout.unit() == 1) continue;
      add_digits<kLayout, kLayout.unit() - 1, kM, kInterleave, kDigits>(
          total, levels, group_scale<kLayout, kLayout.unit() - 1>(record, unit, lane), tile.x, at);
      at += kInterleave;
    }
  }
  const int64_t count = least(tile.columns - column, kLanes);
#pragma GCC unroll 8  // or g++ 12 keeps totals in memory, too
  for (int a = 0; a < kM; ++a) {
    float* y = tile.y + (row + a) * tile.ldy + column;
    if (count == kLanes)
      store(y, total[a]);
    else
      store_part(y, total[a], count);
  }
}

template <BlockLayout kLayout, Digits kDigits>
CLEAVE_INLINE void block_rows(const BlockTile& tile, int64_t row, int64_t end, const uint8_t* strip, int lane,
                              int64_t column) {
  constexpr int kM = kBytes == 64 ? 8 : 4;  // sums and levels together fill the registers
  static_assert(kTileRows % kM == 0);
  bool ahead = tile.prefetch;
#if defined(__AVX512VNNI__)
  if constexpr (kDigits == Digits::OnDemand) {  // only for products so small that level_product() does not pay
    for (; row < end; ++row, ahead = false)
      block_tile<kLayout, 1, kTileRows, kDigits>(tile, row, strip, lane, column, ahead);
    return;
  }
#endif
  for (; row + kM <= end; row += kM, ahead = false)
    block_tile<kLayout, kM, kTileRows, kDigits>(tile, row, strip, lane, column, ahead);
  if constexpr (kM == 8)
    for (; row + 4 <= end; row += 4, ahead = false)
      block_tile<kLayout, 4, kTileRows, kDigits>(tile, row, strip, lane, column, ahead);
  for (; row + 2 <= end; row += 2, ahead = false)
    block_tile<kLayout, 2, kTileRows, kDigits>(tile, row, strip, lane, column, ahead);
  for (; row < end; ++row, ahead = false)
    block_tile<kLayout, 1, kTileRows, kDigits>(tile, row, strip, lane, column, ahead);
}

// Bytes of activations that meet the weights at a time, so few that they stay in the second-level cache: 128 rows of
// 2,048 elements run at 330 GFLOP/s, 512 at once at 306 (Q4_0, Zen 4).
constexpr int64_t kRowsBytes = 256 << 10;

// Layouts that differ in their zero alone share a product: activations bring it along.
constexpr BlockLayout product_layout(BlockLayout layout) {
  layout.zero = 0;
  return layout;
}

template <BlockLayout kLayout>
void block_product(const BlockTile& tile) {
  const int64_t strip_bytes = kLayout.with_groups(groups_of<kLayout>(tile.groups)).strip_bytes(tile.k);
  const int64_t at_once = kRowsBytes / tile.k / kTileRows * kTileRows + kTileRows;
  for (int64_t row = 0; row < tile.m; row += at_once) {
    const int64_t end = least(tile.m, row + at_once);
    const auto* strip = reinterpret_cast<const uint8_t*>(tile.weights);
    for (int64_t first = 0; first < tile.columns; first += kStripRows, strip += strip_bytes)
      for (int lane = 0; lane < kStripRows && first + lane < tile.columns; lane += kLanes)
        if (tile.x.interleave == 1)
          block_tile<kLayout, 1, 1, Digits::Two>(tile, 0, strip, lane, first + lane, tile.prefetch);
        else if (tile.digits == Digits::Two)
          block_rows<kLayout, Digits::Two>(tile, row, end, strip, lane, first + lane);
        else
          block_rows<kLayout, Digits::OnDemand>(tile, row, end, strip, lane, first + lane);
  }
}

}  // namespace
}  // namespace cleave::kernels::simd
