#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/layout/block_layout.h"
#include "kernels/layout/dense_layout.h"

/// Arguments of the products of Table: which part of y = x * W^T one call computes, and where its numbers lie. All
/// pointers are borrowed.
///
/// Words: a *level* is the small integer that a block type stores for a weight. A *digit* is one signed byte of an
/// activation that was rounded to an integer v; v is one digit or 256 * high + low, two digits. A *group* is a number
/// of neighbouring elements with one scale.
namespace cleave::kernels::simd {

/// Rows of activations rounded to one or two digits, with a scale for each group of the weights' layout
/// (layout/block_layout.h): x is about scale * v. A group with two digits is *wide*. Rows lie in tiles of `interleave`
/// rows, so that a group of all rows of a tile lies in one place:
///   high, low                     [m / interleave rounded up][k / group][interleave][group]
///   scales, sums, offsets, wide   [m / interleave rounded up][k / group][interleave]
struct QuantizedRows {
  int64_t interleave;  // kTileRows; for a single row 1
  int8_t* high;        // v of a group that is not wide
  int8_t* low;         // undefined for groups that are not wide
  float* scales;
  float* sums;       // scale times the sum of the group's v
  int32_t* offsets;  // minus the layout's zero level times the sum of the group's v
  uint8_t* wide;     // 1 or 0; 0 for rows beyond m
};
inline constexpr int64_t kTileRows = 8;

/// Which groups become wide. Two digits are exact enough to make no difference, and cost nothing where weights stream
/// from memory. One digit for all moves SmolLM2's logits by up to 2.5 of 25, because a few channels are far larger than
/// all others.
enum class Digits : uint8_t {
  Two,       // all groups
  OnDemand,  // groups whose largest number stands out of their row
};

/// Some columns of a product with weights in a block layout.
struct BlockTile {
  QuantizedRows x;
  int64_t m, k;
  const std::byte* weights;  // strips of kStripRows rows of W; the first one gives the first column
  int64_t columns;           // of y
  float* y;                  // [m, columns], rows ldy apart
  int64_t ldy;
  Digits digits;  // what `x` was rounded with
  int groups;     // in a record, for layouts of kAnyGroups
  bool prefetch;  // whether weights are asked for ahead (see wants_prefetch())
};

/// Some columns of a product of few rows with weights in panels (layout/dense_layout.h): f32, bf16 or fp8.
struct DenseTile {
  const float* x;  // [m, k], rows k apart
  int64_t m, k;
  const std::byte* weights;  // panels of kPanelRows rows of W; the first one gives the first column
  int64_t columns;           // of y
  float* y;                  // [m, columns], rows ldy apart
  int64_t ldy;
  bool prefetch;  // as in BlockTile
};

/// A product of some rows with a part of one panel (layout/dense_layout.h): `depth` elements of the inner dimension.
/// Both are bf16 or both f32. Parts of a panel are multiplied one after the other; `sums` keeps the sums from one to
/// the next.
struct PanelTile {
  const void* x;  // [m, depth], in kWholeRows (bf16) or kFloatRowLayout (f32)
  int64_t m;
  int64_t ldx;               // numbers from row to row
  int64_t depth;             // in bf16 even
  const std::byte* weights;  // [depth / 2][kPanelRows][2] in bf16, [depth][kPanelRows] in f32
  int64_t columns;           // of y in this panel, at most kPanelRows
  bool first;                // whether sums begin at 0 instead of at `sums`
  float* sums;               // [m, columns], rows ld_sums apart; null if this part is the first and the last
  int64_t ld_sums;
  float* y;  // where the last part writes its sums, [m, columns], rows ldy apart; null: they go to `sums`
  int64_t ldy;
  RowLayout layout = kWholeRows;    // of x; matrix tiles also take kTileRowLayout
  const std::byte* next = nullptr;  // as many weights that the call after this one will read; null: not known
};

/// A part of some strips in a block layout, to be unpacked into a part of a bf16 panel.
struct UnpackTile {
  const std::byte* weights;  // first record of the part in the first strip
  int64_t strip_bytes;       // from one strip to the next
  int64_t strips;            // at most kPanelRows / kStripRows; columns of missing strips become zeros
  int64_t depth;             // elements, whole records
  int groups;                // in a record, for layouts of kAnyGroups
  std::byte* panel;          // [depth / 2][kPanelRows][2]
};

/// The high digits of a quad, four neighbouring elements of a row of activations. Not all of them are zero.
struct HighDigits {
  int8_t digits[4];
  uint32_t quad;   // of elements 4 * quad ... 4 * quad + 3
  int32_t offset;  // minus the layout's zero level times the sum of the digits
};

/// Rows of activations rounded to digits with a scale for each kDigitGroup elements: x is about scale * (low + 256 *
/// high). Only outliers have a high digit, so these are kept as a list. Low digits of every second group of the
/// weights' layout are stored negated (levels-inl.h says why). Rows lie in tiles of kDigitRows, the last of them filled
/// up; rows that are few lie in one tile of their number. `group` is the layout's.
struct DigitRows {
  int64_t interleave;  // rows in a tile; takes the place of kDigitRows below
  int8_t* low;         // [tiles][k / 4][kDigitRows][4]
  float* scales;       // [tiles][digit_groups(k)][kDigitRows]
  int32_t* offsets;    // [tiles][k / group][kDigitRows], where the group's dot products begin
  float* sums;         // [tiles][k / group][kDigitRows], sums of the group's v
  int32_t* counts;     // [m], quads with high digits in each row
  HighDigits* high;    // [m][k / 4], of which the first counts[row] are used, in ascending order
};
inline constexpr int64_t kDigitRows = 6;
inline constexpr int64_t kDigitGroup = 256;
constexpr int64_t digit_groups(int64_t k) {
  return (k + kDigitGroup - 1) / kDigitGroup;
}

/// Elements of a long group. Layouts whose records have one scale may be multiplied in groups of so many instead of
/// their own: fewer sums are scaled then.
inline constexpr int kLongGroup = 128;

/// Whole strips in a block layout, to be unpacked: levels into bytes, scales into floats.
struct LevelUnpackTile {
  const std::byte* weights;
  int64_t strip_bytes;  // from one strip to the next
  int64_t strips, k;
  int groups;       // in a record, for layouts of kAnyGroups
  uint8_t* levels;  // [strips][k / 4][kStripRows][4]
  float* scales;    // [strips][level_scales()]
};

/// Floats of the unpacked scales of one strip. Every kDigitGroup elements have
///   | start | scale of group 0 | scale of group 1 | ...                                without minima
///   | start | scale of group 0 | minimum of group 0 | scale of group 1 | ...           with minima
/// where each field is kStripRows floats, one for each row of the strip. `start` is the number at which the sum over
/// these groups begins; it takes off what kMagic adds to their dot products (levels-inl.h).
constexpr int64_t level_scales(int64_t k, int64_t group, bool minimum) {
  return (digit_groups(k) + k / group * (minimum ? 2 : 1)) * kStripRows;
}

/// Some columns of a product with unpacked levels, whole strips.
struct LevelTile {
  DigitRows x;
  int64_t m, k;
  const uint8_t* levels;  // as in LevelUnpackTile
  const float* scales;    // as in LevelUnpackTile
  int64_t columns;        // of y in these strips
  float* y;               // [m, columns], rows ldy apart
  int64_t ldy;
};

/// The same of at most kPackedLevelRows rows, which lie in one tile, with weights that stay packed.
struct PackedLevelTile {
  DigitRows x;
  int64_t m, k;
  const std::byte* weights;
  int64_t strip_bytes;  // from one strip to the next
  int groups;           // in a record, for layouts of kAnyGroups
  int64_t columns;      // of y in these strips
  float* y;             // [m, columns], rows ldy apart
  int64_t ldy;
  bool prefetch;  // whether weights are asked for ahead (see wants_prefetch())
};
inline constexpr int64_t kPackedLevelRows = 3;  // with four, unpacking levels once pays

/// A rectangle of a product with plain rows of f32.
struct ExactTile {
  const float* x;  // [m, k], rows k apart
  const float* w;  // [rows, k], rows k apart
  int64_t m, k, rows;
  float* y;  // [m, rows], rows ldy apart
  int64_t ldy;
};

}  // namespace cleave::kernels::simd
