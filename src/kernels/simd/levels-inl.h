// Products of many rows with weights of block layouts whose levels are unpacked into bytes.
//
// Next to the dot products of a group of 32 elements, eight per row, block_product() converts their sum, multiplies two
// scales and adds the product of all: 80% of the dot products' rate at best, and every eight rows unpack the levels
// again. Here rows have a scale for kDigitGroup elements and levels are unpacked once, so that 88% is the most. Numbers
// that stand out of theirs have a second digit; what those few add is gone through afterwards.
#pragma once

#include "kernels/block_layout.h"
#include "kernels/simd/blocks-inl.h"
#include "kernels/simd/table.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

#if defined(__AVX512VNNI__)

static_assert(kLanes == kStripRows);

// How far numbers may stand out of their group before they have a second digit: beyond so many times the geometric mean
// of the largest of every sixteenth element, which a few large ones hardly move; about one of 512 normal numbers is.
// Measured as for kStandsOut, with tokens/s of a 1B prompt on a Zen 4 core (Q4_0; block_product() 4e-4 and 138), for
// groups of 256: 1.5 9e-4 and 153, 1.8 1.3e-3 and 165, none 180; of 128: 2.2 1.0e-3 and 160; of 64: 2.5 6e-4 and 146.
constexpr float kDigitStandsOut = 1.8f;

// The scale of `count` numbers.
CLEAVE_INLINE float digit_scale(const float* x, int64_t count) {
  F32 tops = {};
  for (int64_t i = 0; i < count; i += kLanes) tops = max(absolute(load(x + i)), tops);
  const float top = largest(tops);
  const I32 shares = bits<I32>(tops) / kLanes;  // of the mean of logarithms, which bits of a float nearly are
  const int32_t mean = total_of(shares);
  float usual;
  __builtin_memcpy(&usual, &mean, sizeof usual);
  usual *= kDigitStandsOut;
  const float one_digit = (top < usual ? top : usual) / 127, two_digits = top / kMaxQuantized;
  return one_digit > two_digits ? one_digit : two_digits;
}

// Writes the digits of kLanes numbers of a row, the elements from `quad` on; returns the low ones and adds the numbers
// to *sum. `count`: of the row's high digits so far.
CLEAVE_INLINE I32 split_vector(F32 x, int64_t quad, int zero, int8_t* low, HighDigits* high, int32_t* count, I32* sum) {
  const I32 v = nearest(x), upper = high_digit(v), lower = v - (upper << 8);
  const auto digits = __builtin_convertvector(lower, SmallI8);
  const auto* bytes = reinterpret_cast<const int8_t*>(&digits);
  for (int q = 0; q < kLanes / 4; ++q) __builtin_memcpy(low + q * kDigitRows * 4, bytes + q * 4, 4);
  *sum += v;
  if (_mm512_test_epi32_mask(bits<__m512i>(upper), bits<__m512i>(upper)) == 0) return lower;
  for (int q = 0; q < kLanes / 4; ++q) {
    HighDigits& next = high[*count];
    int32_t total = 0;
    for (int i = 0; i < 4; ++i) {
      next.digits[i] = static_cast<int8_t>(upper[q * 4 + i]);
      total += upper[q * 4 + i];
    }
    next.quad = static_cast<uint32_t>(quad) + static_cast<uint32_t>(q);
    next.offset = -zero * total;
    *count += load_as<int32_t>(next.digits) != 0 ? 1 : 0;
  }
  return lower;
}

void split_digits(const float* x, int64_t k, const BlockLayout& layout, int64_t row, const DigitRows& out) {
  const int64_t at = row % kDigitRows, tile = row - at;
  int8_t* low = out.low + tile * k + at * 4;
  int64_t group = tile * (k / layout.group) + at;
  float* scales = out.scales + tile * digit_groups(k) + at;
  HighDigits* high = out.high + row * (k / 4);
  int32_t count = 0;
  for (int64_t first = 0; first < k; first += kDigitGroup, scales += kDigitRows) {
    const int64_t end = least(k, first + kDigitGroup);
    const float scale = digit_scale(x + first, end - first), inverse = scale > 1e-36f ? 1 / scale : 0;
    *scales = scale;
    for (int64_t i = first; i < end; group += kDigitRows) {
      I32 lower = {}, sum = {};
      for (const int64_t group_end = i + layout.group; i < group_end; i += kLanes, low += kLanes * kDigitRows)
        lower += split_vector(load(x + i) * inverse, i / 4, layout.zero, low, high, &count, &sum);
      out.offsets[group] = -layout.zero * total_of(lower);
      out.sums[group] = static_cast<float>(total_of(sum));
    }
  }
  out.counts[row] = count;
}

// Floats of scales of a group of a strip.
template <bool kMinimum>
constexpr int64_t kGroupScales = kMinimum ? 2 * kStripRows : kStripRows;

// kM rows of one tile of rows, from `row` on, times one strip: what their low digits give.
template <int kGroup, bool kMinimum, int kM>
CLEAVE_INLINE void multiply_low_digits(const LevelTile& tile, int64_t row, int64_t strip) {
  const int64_t at = row % kDigitRows, first_row = row - at, groups = tile.k / kGroup;
  const uint8_t* w = tile.levels + strip * tile.k * kStripRows;
  const float* w_scales = tile.scales + strip * groups * kGroupScales<kMinimum>;
  const int8_t* low = tile.x.low + first_row * tile.k + at * 4;
  const float* x_scales = tile.x.scales + first_row * digit_groups(tile.k) + at;
  const int32_t* offsets = tile.x.offsets + first_row * groups + at;
  const float* sums = tile.x.sums + first_row * groups + at;
  F32 total[kM];
  for (int a = 0; a < kM; ++a) {
    total[a] = F32{};
    __builtin_prefetch(tile.y + (row + a) * tile.ldy + strip * kStripRows, 1);
  }
  for (int64_t first = 0; first < tile.k; first += kDigitGroup, x_scales += kDigitRows) {
    F32 scaled[kM] = {};
    for (int64_t count = least(tile.k - first, kDigitGroup) / kGroup; count > 0; --count) {
      I32 products[kM];
#pragma GCC unroll 8
      for (int a = 0; a < kM; ++a) products[a] = kMinimum ? I32{} : offsets[a] - I32{};
#pragma GCC unroll 8
      for (int q = 0; q < kGroup / 4; ++q, w += kBytes, low += kDigitRows * 4) {
        const U8 four = load_as<U8>(w);
#pragma GCC unroll 8
        for (int a = 0; a < kM; ++a) products[a] = dot4<true>(products[a], four, low + a * 4);
      }
#pragma GCC unroll 8
      for (int a = 0; a < kM; ++a) {
        scaled[a] = multiply_add(__builtin_convertvector(products[a], F32), load(w_scales), scaled[a]);
        if (kMinimum) scaled[a] = multiply_add(load(w_scales + kStripRows), set(sums[a]), scaled[a]);
      }
      w_scales += kGroupScales<kMinimum>;
      offsets += kDigitRows;
      sums += kDigitRows;
    }
#pragma GCC unroll 8
    for (int a = 0; a < kM; ++a) total[a] = multiply_add(scaled[a], set(x_scales[a]), total[a]);
  }
#pragma GCC unroll 8
  for (int a = 0; a < kM; ++a)
    _mm512_mask_storeu_ps(tile.y + (row + a) * tile.ldy + strip * kStripRows,
                          lanes_within(tile.columns, static_cast<int>(strip)), bits<__m512>(total[a]));
}

// Adds what a row's high digits give. Four strips at a time: what costs most is that a processor cannot foresee how
// many there are.
template <int kGroup, bool kMinimum, int kStrips>
CLEAVE_INLINE void add_high_digits(const LevelTile& tile, int64_t row, int64_t strip) {
  const int64_t at = row % kDigitRows, groups = tile.k / kGroup;
  const uint8_t* w = tile.levels + strip * tile.k * kStripRows;
  const float* w_scales = tile.scales + strip * groups * kGroupScales<kMinimum>;
  const float* x_scales = tile.x.scales + (row - at) * digit_groups(tile.k) + at;
  F32 total[kStrips] = {};
  const HighDigits* high = tile.x.high + row * (tile.k / 4);
  for (const HighDigits* end = high + tile.x.counts[row]; high != end; ++high) {
    const int64_t quad = high->quad, group = quad / (kGroup / 4);
    const F32 x_scale = set(x_scales[quad / (kDigitGroup / 4) * kDigitRows] * 256);
#pragma GCC unroll 4
    for (int s = 0; s < kStrips; ++s) {
      const U8 four = load_as<U8>(w + s * tile.k * kStripRows + quad * kBytes);
      const I32 products = dot4<true>(high->offset - I32{}, four, high->digits);
      const F32 w_scale = load(w_scales + (s * groups + group) * kGroupScales<kMinimum>);
      total[s] = multiply_add(__builtin_convertvector(products, F32), x_scale * w_scale, total[s]);
    }
  }
  float* y = tile.y + row * tile.ldy;
#pragma GCC unroll 4
  for (int64_t s = strip; s < strip + kStrips; ++s) {
    const __mmask16 lanes = lanes_within(tile.columns, static_cast<int>(s));
    const F32 sum = bits<F32>(_mm512_maskz_loadu_ps(lanes, y + s * kLanes)) + total[s - strip];
    _mm512_mask_storeu_ps(y + s * kLanes, lanes, bits<__m512>(sum));
  }
}

template <int kGroup, bool kMinimum>
void level_product(const LevelTile& tile) {
  static_assert(kDigitRows == 8);  // that no call goes beyond a tile of rows
  const int64_t strips = (tile.columns + kStripRows - 1) / kStripRows;
  for (int64_t row = 0; row < tile.m;) {
    const int64_t rows = tile.m - row >= 8 ? 8 : tile.m - row >= 4 ? 4 : 1;
    for (int64_t strip = 0; strip < strips; ++strip)
      if (rows == 8)
        multiply_low_digits<kGroup, kMinimum, 8>(tile, row, strip);
      else if (rows == 4)
        multiply_low_digits<kGroup, kMinimum, 4>(tile, row, strip);
      else
        multiply_low_digits<kGroup, kMinimum, 1>(tile, row, strip);
    for (const int64_t end = row + rows; row < end; ++row) {
      if (tile.x.counts[row] == 0) continue;
      int64_t strip = 0;
      for (; strip + 4 <= strips; strip += 4) add_high_digits<kGroup, kMinimum, 4>(tile, row, strip);
      for (; strip < strips; ++strip) add_high_digits<kGroup, kMinimum, 1>(tile, row, strip);
    }
  }
}

struct LevelKernels {
  static constexpr auto split = split_digits;

  template <BlockLayout kLayout>
  static constexpr auto product = level_product<kLayout.group, kLayout.minimum>;

  template <BlockLayout kLayout>
  static void unpack(const LevelUnpackTile& tile) {
    constexpr int kVectors = kLayout.group / 4;
    uint8_t* out = tile.levels;
    float* scales = tile.scales;
    for (int64_t s = 0; s < tile.strips; ++s)
      for_groups<kLayout>(reinterpret_cast<const uint8_t*>(tile.weights + s * tile.strip_bytes), tile.k,
                          [&](GroupScale w, const uint8_t* packed) {
                            prefetch<kLayout.level_bytes()>(packed);
                            U8 levels[kVectors];
                            unpack_levels<kLayout>(packed, levels);
                            for (int j = 0; j < kVectors; ++j, out += kBytes) store_as(out, levels[j]);
                            store(scales, w.scale);
                            scales += kStripRows;
                            if constexpr (!kLayout.minimum) return;
                            store(scales, w.minimum);
                            scales += kStripRows;
                          });
  }
};

#else

struct LevelKernels {
  static constexpr void (*split)(const float*, int64_t, const BlockLayout&, int64_t, const DigitRows&) = nullptr;
  template <BlockLayout kLayout>
  static constexpr void (*product)(const LevelTile&) = nullptr;
  template <BlockLayout kLayout>
  static constexpr void (*unpack)(const LevelUnpackTile&) = nullptr;
};

#endif

}  // namespace
}  // namespace cleave::kernels::simd
