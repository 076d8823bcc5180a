// Products of many rows with weights in block layouts whose levels are unpacked into bytes.
//
// Words:
//   level    the small unsigned integer that is stored for a weight
//   digit    one signed byte of an activation, which was rounded to an integer v = low + 256 * high
//   outlier  an activation whose high digit is not 0; all others have the low digit alone
//   group    elements of a row of weights that share a scale (32 or 16, or kLongGroup)
//
// What is gained. For each group and row, block_product() computes eight dot products (of 32 elements), converts the
// sum to f32, multiplies the scales of weights and activations, and adds the product of sum and scales: at best 80% of
// the rate of the dot products alone. Every eight rows it unpacks the levels again. Here activations have one scale for
// kDigitGroup elements instead of each group, and levels are unpacked once for all rows: at best 88%. What outliers'
// high digits add is computed afterwards, from a list.
//
// How a group's integer sum becomes a float without a conversion, which would take the units that dot products need:
//   1. The sum begins at the bits of the float kMagic = 1.5 * 2^23. Adding an integer s to these bits gives the bits
//      of kMagic + s, exactly.
//   2. That float is multiplied by the group's scale and added to the sums of the row: scale * kMagic too much.
//   3. The sums of a row therefore begin at minus what the kMagic of all groups adds (`start` of level_scales()).
//   4. Every second group begins at the bits of -kMagic and has its low digits negated: adding -s to these bits gives
//      those of s - kMagic. What kMagic adds to neighbouring groups then nearly cancels, and the sums of a row stay so
//      small that rounding them does not matter.
// The error that is left is about one unit of s per group. Rounding activations makes one of seven units, with levels
// of four bits.
#pragma once

#include "kernels/layout/block_layout.h"
#include "kernels/simd/blocks-inl.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/quantize-inl.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

#if defined(__AVX512VNNI__)

static_assert(kLanes == kStripRows);

// Size from which a number is an outlier, as a multiple of its group's usual size: the geometric mean of the largest
// numbers of sixteen interleaved parts of the group, which a few large numbers hardly move. About one of 512 normally
// distributed numbers is one. Kullback-Leibler divergence as for kStandsOut, and tokens/s of a 1B prompt, Q4_0, one
// core of a Zen 4 (block_product() has 4e-4 and 138):
//   group  multiple  divergence  tokens/s
//   256    1.5       9e-4        153
//   256    1.8       1.3e-3      165
//   256    infinite              180
//   128    2.2       1.0e-3      160
//   64     2.5       6e-4        146
constexpr float kDigitStandsOut = 1.8f;

// The scale of a group of `count` activations: 1/127 of the size from which numbers are outliers, or of the largest one
// if none is.
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

constexpr float kMagic = 12582912.0f;
constexpr int32_t kMagicBits = 0x4b400000, kMinusMagicBits = static_cast<int32_t>(0xcb400000u);

// Where a group's sums begin, and the sign that its digits are stored with.
constexpr int32_t magic_bits(int64_t group) {
  return group % 2 == 0 ? kMagicBits : kMinusMagicBits;
}
constexpr int sign_of(int64_t group) {
  return group % 2 == 0 ? 1 : -1;
}

// Writes the digits of kLanes neighbouring numbers of a row, of which `quad` is the first quad's number. x holds these
// numbers divided by their scale and multiplied by `sign`. Returns the low digits and adds the rounded x to *sum.
// *count is the number of entries of `high` that the row has so far.
CLEAVE_INLINE I32 split_vector(F32 x, int sign, int64_t quad, int zero, int8_t* low, int64_t interleave,
                               HighDigits* high, int32_t* count, I32* sum) {
  const I32 v = nearest(x), upper = high_digit(v), lower = v - (upper << 8);
  const auto digits = __builtin_convertvector(lower, SmallI8);
  const auto* bytes = reinterpret_cast<const int8_t*>(&digits);
  for (int q = 0; q < kLanes / 4; ++q) __builtin_memcpy(low + q * interleave * 4, bytes + q * 4, 4);
  *sum += v;
  if (_mm512_test_epi32_mask(bits<__m512i>(upper), bits<__m512i>(upper)) == 0) return lower;
  for (int q = 0; q < kLanes / 4; ++q) {
    HighDigits& next = high[*count];
    int32_t total = 0;
    for (int i = 0; i < 4; ++i) {
      next.digits[i] = static_cast<int8_t>(sign * upper[q * 4 + i]);
      total += sign * upper[q * 4 + i];
    }
    next.quad = static_cast<uint32_t>(quad) + static_cast<uint32_t>(q);
    next.offset = -zero * total;
    *count += load_as<int32_t>(next.digits) != 0 ? 1 : 0;
  }
  return lower;
}

void split_digits(const float* x, int64_t k, const BlockLayout& layout, int64_t row, const DigitRows& out) {
  const int64_t next = out.interleave, at = row % next, tile = row - at;
  int8_t* low = out.low + tile * k + at * 4;
  int64_t group = 0, group_at = tile * (k / layout.group) + at;
  float* scales = out.scales + tile * digit_groups(k) + at;
  HighDigits* high = out.high + row * (k / 4);
  int32_t count = 0;
  for (int64_t first = 0; first < k; first += kDigitGroup, scales += next) {
    const int64_t end = least(k, first + kDigitGroup);
    const float scale = digit_scale(x + first, end - first), inverse = scale > 1e-36f ? 1 / scale : 0;
    *scales = scale;
    for (int64_t i = first; i < end; ++group, group_at += next) {
      const int sign = sign_of(group);
      const float factor = static_cast<float>(sign) * inverse;
      I32 lower = {}, sum = {};
      for (const int64_t group_end = i + layout.group; i < group_end; i += kLanes, low += kLanes * next)
        lower += split_vector(load(x + i) * factor, sign, i / 4, layout.zero, low, next, high, &count, &sum);
      // layout.zero is 0 in layouts with minima.
      out.offsets[group_at] = magic_bits(group) - layout.zero * total_of(lower);
      out.sums[group_at] = static_cast<float>(sign * total_of(sum));
    }
  }
  out.counts[row] = count;
}

// Floats that a group has among the scales of a strip.
template <bool kMinimum>
constexpr int64_t kGroupScales = kMinimum ? 2 * kStripRows : kStripRows;

// Where those of group number `group` begin (see level_scales()).
template <int kGroup, bool kMinimum>
constexpr int64_t scales_of(int64_t group) {
  return (group / (kDigitGroup / kGroup) + 1) * kStripRows + group * kGroupScales<kMinimum>;
}

// Four digits, repeated in all lanes of a register. The empty assembly keeps g++ 12 from reading them from memory again
// for every dot product, which is more than a processor with two reads a cycle can do.
CLEAVE_INLINE __m512i four_digits(const int8_t* p) {
  __m512i four = _mm512_set1_epi32(load_as<int32_t>(p));
  asm("" : "+v"(four));
  return four;
}

// The products of the low digits of kM rows of one tile of rows, from `row` on, with kStrips strips. Six rows and two
// strips hide most of the latency of dot products and leave registers for the scaled sums: 420 Gop/s of 612 on one core
// of a Cascade Lake, 378 with minima. Eight rows and one strip, with conversions of the sums, reached 324 and 325.
template <int kGroup, bool kMinimum, int kM, int kStrips>
CLEAVE_INLINE void multiply_low_digits(const LevelTile& tile, int64_t row, int64_t strip) {
  const int64_t at = row % kDigitRows, first_row = row - at, groups = tile.k / kGroup;
  const int64_t next_levels = tile.k * kStripRows, next_scales = level_scales(tile.k, kGroup, kMinimum);  // of a strip
  const uint8_t* w = tile.levels + strip * next_levels;
  const float* w_scales = tile.scales + strip * next_scales;
  const int8_t* low = tile.x.low + first_row * tile.k + at * 4;
  const float* x_scales = tile.x.scales + first_row * digit_groups(tile.k) + at;
  const int32_t* offsets = tile.x.offsets + first_row * groups + at;
  const float* sums = tile.x.sums + first_row * groups + at;
  F32 total[kM][kStrips] = {};
  for (int a = 0; a < kM; ++a)
    for (int s = 0; s < kStrips; ++s) __builtin_prefetch(tile.y + (row + a) * tile.ldy + (strip + s) * kStripRows, 1);
  for (int64_t first = 0; first < tile.k; first += kDigitGroup, x_scales += kDigitRows) {
    F32 scaled[kM][kStrips];
#pragma GCC unroll 8
    for (int a = 0; a < kM; ++a)
#pragma GCC unroll 4
      for (int s = 0; s < kStrips; ++s) scaled[a][s] = load(w_scales + s * next_scales);
    w_scales += kStripRows;
    for (int64_t count = least(tile.k - first, kDigitGroup) / kGroup; count > 0; --count) {
      I32 products[kM][kStrips];
#pragma GCC unroll 8
      for (int a = 0; a < kM; ++a)
#pragma GCC unroll 4
        for (int s = 0; s < kStrips; ++s) products[a][s] = offsets[a] - I32{};
#pragma GCC unroll 8
      for (int q = 0; q < kGroup / 4; ++q, w += kBytes, low += kDigitRows * 4) {
        __m512i levels[kStrips];
#pragma GCC unroll 4
        for (int s = 0; s < kStrips; ++s) levels[s] = load_as<__m512i>(w + s * next_levels);
#pragma GCC unroll 8
        for (int a = 0; a < kM; ++a) {
          const __m512i digits = four_digits(low + a * 4);
#pragma GCC unroll 4
          for (int s = 0; s < kStrips; ++s)
            products[a][s] = bits<I32>(_mm512_dpbusd_epi32(bits<__m512i>(products[a][s]), levels[s], digits));
        }
      }
#pragma GCC unroll 8
      for (int a = 0; a < kM; ++a)
#pragma GCC unroll 4
        for (int s = 0; s < kStrips; ++s) {
          const float* scale = w_scales + s * next_scales;
          scaled[a][s] = multiply_add(bits<F32>(products[a][s]), load(scale), scaled[a][s]);
          if (kMinimum) scaled[a][s] = multiply_add(load(scale + kStripRows), set(sums[a]), scaled[a][s]);
        }
      w_scales += kGroupScales<kMinimum>;
      offsets += kDigitRows;
      sums += kDigitRows;
    }
#pragma GCC unroll 8
    for (int a = 0; a < kM; ++a)
#pragma GCC unroll 4
      for (int s = 0; s < kStrips; ++s) total[a][s] = multiply_add(scaled[a][s], set(x_scales[a]), total[a][s]);
  }
#pragma GCC unroll 8
  for (int a = 0; a < kM; ++a)
#pragma GCC unroll 4
    for (int s = 0; s < kStrips; ++s)
      _mm512_mask_storeu_ps(tile.y + (row + a) * tile.ldy + (strip + s) * kStripRows,
                            lanes_within(tile.columns, static_cast<int>(strip) + s), bits<__m512>(total[a][s]));
}

template <int kGroup, bool kMinimum, int kM>
CLEAVE_INLINE void multiply_rows_low(const LevelTile& tile, int64_t row, int64_t strips) {
  int64_t strip = 0;
  // One or two rows hide the latency of dot products with more strips at once.
  if constexpr (kM <= 2)
    for (; strip + 4 <= strips; strip += 4) multiply_low_digits<kGroup, kMinimum, kM, 4>(tile, row, strip);
  for (; strip + 2 <= strips; strip += 2) multiply_low_digits<kGroup, kMinimum, kM, 2>(tile, row, strip);
  if (strip < strips) multiply_low_digits<kGroup, kMinimum, kM, 1>(tile, row, strip);
}

// Adds the products of a row's high digits. Four strips at a time share the loop over the list, because most of the
// time is lost when the processor guesses wrongly where the list ends.
template <int kGroup, bool kMinimum, int kStrips>
CLEAVE_INLINE void add_high_digits(const LevelTile& tile, int64_t row, int64_t strip) {
  const int64_t at = row % kDigitRows, next_scales = level_scales(tile.k, kGroup, kMinimum);  // of a strip
  const uint8_t* w = tile.levels + strip * tile.k * kStripRows;
  const float* w_scales = tile.scales + strip * next_scales;
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
      const F32 w_scale = load(w_scales + s * next_scales + scales_of<kGroup, kMinimum>(group));
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
  static_assert(kDigitRows == 6);  // that no call goes beyond a tile of rows
  const int64_t strips = (tile.columns + kStripRows - 1) / kStripRows;
  for (int64_t row = 0; row < tile.m;) {
    const int64_t left = tile.m - row, rows = left >= 6 ? 6 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    if (rows == 6)
      multiply_rows_low<kGroup, kMinimum, 6>(tile, row, strips);
    else if (rows == 4)
      multiply_rows_low<kGroup, kMinimum, 4>(tile, row, strips);
    else if (rows == 2)
      multiply_rows_low<kGroup, kMinimum, 2>(tile, row, strips);
    else
      multiply_rows_low<kGroup, kMinimum, 1>(tile, row, strips);
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

  template <bool kMinimum>
  static constexpr auto long_product = level_product<kLongGroup, kMinimum>;

  template <BlockLayout kLayout>
  static void unpack(const LevelUnpackTile& tile) {
    unpack_groups<kLayout, kLayout.group>(tile);
  }
  template <BlockLayout kLayout>
  static constexpr auto long_unpack() -> void (*)(const LevelUnpackTile&) {
    if constexpr (kLayout.long_groups()) return unpack_groups<kLayout, kLongGroup>;
    return nullptr;
  }

 private:
  // Groups of kGroup elements are made of one or several of the layout's.
  template <BlockLayout kLayout, int kGroup>
  static void unpack_groups(const LevelUnpackTile& tile) {
    constexpr int kParts = kGroup / kLayout.group;
    uint8_t* out = tile.levels;
    float *scales = tile.scales, *start = scales;
    for (int64_t s = 0; s < tile.strips; ++s) {
      int64_t group = 0;
      int part = 0;
      const auto* strip = reinterpret_cast<const uint8_t*>(tile.weights + s * tile.strip_bytes);
      for_groups<kLayout, true>(strip, tile.k, tile.groups, [&](GroupScale w, const U8* levels) {
        for (int j = 0; j < kLayout.group / 4; ++j, out += kBytes) store_as(out, levels[j]);
        if (part++ % kParts != 0) return;
        if (group % (kDigitGroup / kGroup) == 0) {
          start = scales;
          store(start, F32{});
          scales += kStripRows;
        }
        store(start, load(start) - static_cast<float>(sign_of(group++)) * kMagic * w.scale);
        store(scales, w.scale);
        scales += kStripRows;
        if constexpr (!kLayout.minimum) return;
        store(scales, w.minimum);
        scales += kStripRows;
      });
    }
  }
};

#else

struct LevelKernels {
  static constexpr void (*split)(const float*, int64_t, const BlockLayout&, int64_t, const DigitRows&) = nullptr;
  template <BlockLayout kLayout>
  static constexpr void (*product)(const LevelTile&) = nullptr;
  template <bool kMinimum>
  static constexpr void (*long_product)(const LevelTile&) = nullptr;
  template <BlockLayout kLayout>
  static constexpr void (*unpack)(const LevelUnpackTile&) = nullptr;
  template <BlockLayout kLayout>
  static constexpr auto long_unpack() -> void (*)(const LevelUnpackTile&) {
    return nullptr;
  }
};

#endif

}  // namespace
}  // namespace cleave::kernels::simd
