// Products of few rows with weights in block layouts, by the arithmetic of levels-inl.h to the bit.
//
// A few rows do not pay for unpacked levels: writing and reading them takes longer than the dot products. Here levels
// go from packed weights into registers and are used at once. What a sum begins with (`start` of level_scales())
// depends on the scales of kDigitGroup elements, so these are read first, by a cursor of their own.
#pragma once

#include "kernels/simd/blocks-inl.h"
#include "kernels/simd/levels-inl.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

#if defined(__AVX512VNNI__)

// Goes through the units of a strip.
template <BlockLayout kLayout>
class UnitCursor {
 public:
  CLEAVE_INLINE UnitCursor(const uint8_t* strip, int in_record) : next_(strip), in_record_(in_record) {}

  // The next unit, in whose record `record` is the header if kHeader says that it is wanted.
  template <bool kHeader>
  CLEAVE_INLINE const uint8_t* next() {
    if (kLayout.groups == kLayout.unit() || left_ == 0) {
      if constexpr (kHeader) record_ = load_header<kLayout>(next_, 0);
      next_ += kLayout.header_bytes();
      left_ = in_record_;
    }
    const uint8_t* unit = next_;
    next_ += kLayout.unit_bytes();
    left_ -= kLayout.unit();
    return unit;
  }
  CLEAVE_INLINE GroupScale record() const { return record_; }

 private:
  const uint8_t* next_;
  int in_record_;
  int left_ = 0;  // groups of the record at hand
  GroupScale record_ = {};
};

// Scales and minima of the groups of kDigitGroup elements.
template <int kGroup>
struct DigitGroupScales {
  alignas(64) float scale[kDigitGroup / kGroup][kStripRows];
  alignas(64) float minimum[kDigitGroup / kGroup][kStripRows];
};

// Reads the scales of `count` groups, of which the first is number `group` of the row. Returns where their sum begins.
template <BlockLayout kLayout, int kGroup>
CLEAVE_INLINE F32 read_scales(UnitCursor<kLayout>& cursor, int64_t group, int64_t count,
                              DigitGroupScales<kGroup>& scales) {
  constexpr int kParts = kGroup / kLayout.group, kSums = kLayout.unit();
  F32 start = {};
  const auto take = [&](int64_t g, GroupScale w) {
    start = start - static_cast<float>(sign_of(group + g)) * kMagic * w.scale;
    store(scales.scale[g], w.scale);
    if constexpr (kLayout.minimum) store(scales.minimum[g], w.minimum);
  };
  for (int64_t g = 0; g < count; g += kSums) {
    const uint8_t* unit = cursor.template next<true>();
    take(g, group_scale<kLayout, 0>(cursor.record(), unit, 0));
    if constexpr (kSums == 2) take(g + 1, group_scale<kLayout, 1>(cursor.record(), unit, 0));
    for (int part = 1; part < kParts; ++part) cursor.template next<false>();  // they share a record, and so its scale
  }
  return start;
}

// The outliers of a row, and what their high digits have added so far.
class Outliers {
 public:
  Outliers() = default;
  CLEAVE_INLINE Outliers(const DigitRows& x, int64_t row, int64_t k)
      : next_(x.high + row * (k / 4)), end_(next_ + x.counts[row]) {}

  CLEAVE_INLINE bool any_before(int64_t quad) const { return next_ != end_ && next_->quad < quad; }
  bool any() const { return any_; }
  F32 total() const { return total_; }

  // Adds those among `quads` quads from number `first` on, whose levels are given.
  template <int kQuads>
  CLEAVE_INLINE void add(const U8* levels, int64_t first, F32 x_scale, F32 w_scale) {
    alignas(64) uint8_t memory[kQuads][kBytes];
    for (int j = 0; j < kQuads; ++j) store_as(memory[j], levels[j]);
    for (; any_before(first + kQuads); ++next_) {
      const U8 four = load_as<U8>(memory[next_->quad - first]);
      const I32 products = dot4<true>(next_->offset - I32{}, four, next_->digits);
      total_ = multiply_add(__builtin_convertvector(products, F32), x_scale * w_scale, total_);
    }
    any_ = true;
  }

 private:
  const HighDigits *next_ = nullptr, *end_ = nullptr;
  F32 total_ = {};
  bool any_ = false;
};

// The product of kM rows from `row` on with strip number `strip`.
template <BlockLayout kLayout, int kGroup, int kM>
CLEAVE_INLINE void packed_strip(const PackedLevelTile& tile, int64_t row, int64_t strip) {
  constexpr int kParts = kGroup / kLayout.group, kSums = kLayout.unit(), kQuads = kLayout.group / 4;
  static_assert(kParts == 1 || kSums == 1);
  const auto* weights = reinterpret_cast<const uint8_t*>(tile.weights + strip * tile.strip_bytes);
  UnitCursor<kLayout> headers(weights, groups_of<kLayout>(tile.groups)), units = headers;
  const int64_t next = tile.x.interleave;
  const int8_t* low = tile.x.low + row * 4;
  const float *x_scales = tile.x.scales + row, *sums = tile.x.sums + row;
  const int32_t* offsets = tile.x.offsets + row;
  Outliers outliers[kM];
  for (int a = 0; a < kM; ++a) outliers[a] = Outliers(tile.x, row + a, tile.k);
  DigitGroupScales<kGroup> scales;
  F32 total[kM] = {};
  int64_t group = 0, quad = 0;
  for (int64_t first = 0; first < tile.k; first += kDigitGroup, x_scales += next) {
    const int64_t count = least(tile.k - first, kDigitGroup) / kGroup;
    const F32 start = read_scales<kLayout, kGroup>(headers, group, count, scales);
    F32 scaled[kM];
    for (int a = 0; a < kM; ++a) scaled[a] = start;
    for (int64_t g = 0; g < count; g += kSums) {
      I32 products[kSums][kM];
      for (int s = 0; s < kSums; ++s)
        for (int a = 0; a < kM; ++a) products[s][a] = offsets[s * next + a] - I32{};
      for (int part = 0; part < kParts; ++part) {
        const uint8_t* unit = units.template next<false>();
        if (tile.prefetch) prefetch<kLayout.unit_bytes()>(unit);
        U8 levels[kUnitVectors<kLayout>];
        unpack_levels<kLayout>(unit + kLayout.scale_bytes(), 0, levels);
#pragma GCC unroll 2
        for (int s = 0; s < kSums; ++s, quad += kQuads) {
          __builtin_prefetch(low + kDigitsAhead * next);
          I32 part_products[kM] = {};  // sums of their own, so that dot products wait for fewer others
#pragma GCC unroll 8
          for (int j = 0; j < kQuads; ++j, low += next * 4)
#pragma GCC unroll 2
            for (int a = 0; a < kM; ++a)
              part_products[a] = dot4<true>(part_products[a], levels[s * kQuads + j], low + a * 4);
          for (int a = 0; a < kM; ++a) {
            products[s][a] += part_products[a];
            if (__builtin_expect(outliers[a].any_before(quad + kQuads), 0))
              outliers[a].template add<kQuads>(levels + s * kQuads, quad, set(x_scales[a] * 256),
                                               load(scales.scale[g + s]));
          }
        }
      }
      for (int s = 0; s < kSums; ++s, ++group, offsets += next, sums += next)
        for (int a = 0; a < kM; ++a) {
          scaled[a] = multiply_add(bits<F32>(products[s][a]), load(scales.scale[g + s]), scaled[a]);
          if (kLayout.minimum) scaled[a] = multiply_add(load(scales.minimum[g + s]), set(sums[a]), scaled[a]);
        }
    }
    for (int a = 0; a < kM; ++a) total[a] = multiply_add(scaled[a], set(x_scales[a]), total[a]);
  }
  const __mmask16 lanes = lanes_within(tile.columns, static_cast<int>(strip));
  for (int a = 0; a < kM; ++a) {
    if (outliers[a].any()) total[a] = total[a] + outliers[a].total();
    _mm512_mask_storeu_ps(tile.y + (row + a) * tile.ldy + strip * kStripRows, lanes, bits<__m512>(total[a]));
  }
}

template <BlockLayout kLayout, int kGroup>
void packed_level_product(const PackedLevelTile& tile) {
  const int64_t strips = (tile.columns + kStripRows - 1) / kStripRows;
  for (int64_t strip = 0; strip < strips; ++strip) {
    int64_t row = 0;
    for (; row + 2 <= tile.m; row += 2) packed_strip<kLayout, kGroup, 2>(tile, row, strip);
    if (row < tile.m) packed_strip<kLayout, kGroup, 1>(tile, row, strip);
  }
}

struct PackedLevelKernels {
  template <BlockLayout kLayout>
  static constexpr auto product = packed_level_product<kLayout, kLayout.group>;

  template <BlockLayout kLayout>
  static constexpr auto long_product() -> void (*)(const PackedLevelTile&) {
    if constexpr (kLayout.long_groups()) return packed_level_product<kLayout, kLongGroup>;
    return nullptr;
  }
};

#else

struct PackedLevelKernels {
  template <BlockLayout kLayout>
  static constexpr void (*product)(const PackedLevelTile&) = nullptr;
  template <BlockLayout kLayout>
  static constexpr auto long_product() -> void (*)(const PackedLevelTile&) {
    return nullptr;
  }
};

#endif

}  // namespace
}  // namespace cleave::kernels::simd
