// Reading of block layouts (kernels/layout/block_layout.h): levels widened to bytes, scales to floats.
#pragma once

#include "kernels/layout/block_layout.h"
#include "kernels/simd/grids-inl.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

using W16 = uint16_t __attribute__((vector_size(kBytes)));  // for shifts; bits that cross a byte are masked off

CLEAVE_INLINE U8 mask_bytes(W16 v, uint8_t mask) {
  return bits<U8>(v) & (mask - U8{});
}
// The codebooks as levels: kIq4Values and kMxfp4Values of tensor/blocks.h, plus the layout's zero.
alignas(16) constexpr uint8_t kIq4Codes[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
alignas(16) constexpr uint8_t kMxfp4Codes[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

// kNf4Values and kBnbFp4Values, times kNf4Unit or kFp4Unit.
alignas(16) constexpr uint8_t kNf4Codes[16] = {0,   39,  60,  77,  91,  104, 115, 127,
                                               137, 147, 158, 170, 183, 198, 219, 254};
alignas(16) constexpr uint8_t kFp4Codes[16] = {120, 121, 200, 240, 160, 180, 140, 150,
                                               120, 119, 40,  0,   80,  60,  100, 90};

template <Codebook kCodebook>
constexpr const uint8_t* codes_of() {
  if (kCodebook == Codebook::Iq4) return kIq4Codes;
  if (kCodebook == Codebook::Mxfp4) return kMxfp4Codes;
  return kCodebook == Codebook::Nf4 ? kNf4Codes : kFp4Codes;
}

template <Codebook kCodebook>
CLEAVE_INLINE U8 look_up(U8 index) {
  if constexpr (kCodebook == Codebook::None) return index;
  return look_up_16(codes_of<kCodebook>(), index);
}

// The number of vectors that a unit's levels are unpacked into.
template <BlockLayout kLayout>
constexpr int kUnitVectors = kLayout.unit_elements() / 4;

// Shifts all bytes to the right, or to the left by -right. REQUIRES: `mask` has no bits that come from other bytes.
CLEAVE_INLINE U8 shifted(U8 v, int right, uint8_t mask) {
  const W16 words = bits<W16>(v);
  return mask_bytes(right >= 0 ? words >> right : words << -right, mask);
}

// Widens the levels of one unit, which begin at `p`, to bytes: levels[j] gets elements 4j ... 4j + 3 of the rows from
// `lane` on.
template <BlockLayout kLayout>
CLEAVE_INLINE void unpack_levels(const uint8_t* p, int lane, U8 (&levels)[kUnitVectors<kLayout>]) {
  constexpr int kVectors = kUnitVectors<kLayout>, kHalf = kVectors / 2, kQuarter = kVectors / 4;
  const auto vector = [p, lane](int index) { return load_as<U8>(p + lane * 4 + index * 64); };
  if constexpr (kLayout.grid()) return unpack_grid<kLayout.codebook>(p, lane, levels);
  if constexpr (kLayout.bits == 8) {
    for (int j = 0; j < kVectors; ++j) levels[j] = vector(j);
  } else if constexpr (kLayout.bits == 1) {
    const U8 plane = vector(0);
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) levels[j] = shifted(plane, j - 1, 2);
  } else if constexpr (kLayout.bits <= 3) {
#pragma GCC unroll 2
    for (int t = 0; t < kQuarter; ++t) {
      const U8 pairs = vector(t);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) levels[4 * t + i] = shifted(pairs, 2 * i, 3);
    }
  } else {
    for (int t = 0; t < kHalf; ++t) {
      const U8 nibbles = vector(t);
      levels[t] = look_up<kLayout.codebook>(shifted(nibbles, 0, 15));
      levels[t + kHalf] = look_up<kLayout.codebook>(shifted(nibbles, 4, 15));
    }
  }
  if constexpr (kLayout.bits == 3) {
    const U8 plane = vector(kQuarter);
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) levels[j] |= shifted(plane, j - 2, 4);
  }
  if constexpr (kLayout.bits == 5) {
    const U8 plane = vector(kHalf);
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) levels[j] |= shifted(plane, j - 4, 16);
  }
  if constexpr (kLayout.bits == 6) {
    const U8 plane = vector(kHalf);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) levels[j] |= shifted(plane, 2 * j - 4, 48);
  }
}

// Scale and minimum of a record, or of a group, for kLanes rows.
struct GroupScale {
  F32 scale;
  F32 minimum;
};

// The header of a record, which begins at `p`, for the rows from `lane` on.
template <BlockLayout kLayout>
CLEAVE_INLINE GroupScale load_header(const uint8_t* p, int lane) {
  GroupScale record;
  if constexpr (kLayout.scale == ScaleKind::Minifloats)
    record.scale = load_as<F32>(p + lane * 4) * 0x1p112f;  // the exponents' bias is 15 instead of 127
  else if constexpr (kLayout.scale == ScaleKind::Bfloat16)
    record.scale = bits<F32>(__builtin_convertvector(load_as<U16>(p + lane * 2), U32) << 16);
  else
    record.scale = load_half(p + lane * 2);
  if constexpr (kLayout.grid()) record.scale *= kGridUnit<kLayout.codebook>;
  record.minimum = F32{};
  if constexpr (kLayout.minimum) record.minimum = load_half(p + kStripRows * 2 + lane * 2);
  return record;
}

// Scale and minimum of group number kGroup of the unit that begins at `unit`, for the rows from `lane` on.
template <BlockLayout kLayout, int kGroup>
CLEAVE_INLINE GroupScale group_scale(GroupScale record, const uint8_t* unit, int lane) {
  const uint8_t* p = unit + kGroup * kStripRows + lane;
  if constexpr (kLayout.scale == ScaleKind::Small) {
    record.scale *= __builtin_convertvector(load_signed_bytes(p), F32);
    if constexpr (kLayout.minimum) record.minimum *= __builtin_convertvector(load_unsigned_bytes(p + kStripRows), F32);
  } else if constexpr (kLayout.scale == ScaleKind::Nibbles) {
    const I32 both = load_unsigned_bytes(p);
    record.scale *= __builtin_convertvector(both & 15, F32);
    record.minimum *= __builtin_convertvector(both >> 4, F32);
  } else if constexpr (kLayout.scale == ScaleKind::OddNibbles) {
    const I32 s = load_unsigned_bytes(unit + lane) >> (4 * kGroup) & 15;
    record.scale *= __builtin_convertvector(2 * s + 1, F32);
  } else if constexpr (kLayout.scale == ScaleKind::OddBits) {
    record.scale *= __builtin_convertvector(2 * scale_bits<kLayout.codebook>(unit, lane) + 1, F32);
  } else if constexpr (kLayout.scale == ScaleKind::Minifloats) {
    record.scale *= bits<F32>(load_unsigned_bytes(p) << 20);
  }
  return record;
}

// Groups in a record: a layout's own number, or the one that the kernel was told.
template <BlockLayout kLayout>
constexpr int groups_of(int told) {
  return kLayout.groups == kAnyGroups ? told : kLayout.groups;
}

// Calls use(scale, levels) for every group of the first `elements` elements of a strip, whole records with `groups`
// groups; levels are kLayout.group / 4 vectors. kPrefetch: weights are asked for ahead.
template <BlockLayout kLayout, bool kPrefetch, class Use>
CLEAVE_INLINE void for_groups(const uint8_t* strip, int64_t elements, int groups, Use use) {
  static_assert(kLanes <= kStripRows);
  const int in_record = groups_of<kLayout>(groups);
  for (int64_t i = 0; i < elements; i += in_record * kLayout.group) {
    const GroupScale record = load_header<kLayout>(strip, 0);
    strip += kLayout.header_bytes();
    for (int g = 0; g < in_record; g += kLayout.unit()) {
      if constexpr (kPrefetch) prefetch<kLayout.unit_bytes()>(strip);
      U8 levels[kUnitVectors<kLayout>];
      unpack_levels<kLayout>(strip + kLayout.scale_bytes(), 0, levels);
      use(group_scale<kLayout, 0>(record, strip, 0), levels);
      if constexpr (kLayout.unit() == 2) use(group_scale<kLayout, 1>(record, strip, 0), levels + kLayout.group / 4);
      strip += kLayout.unit_bytes();
    }
  }
}

}  // namespace
}  // namespace cleave::kernels::simd
