#pragma once

#include <cstdint>

namespace cleave::kernels {

// How f32, bf16 and fp8 weights lie in memory for our kernels, and the activations that meet them. Sixty-four rows of
// the weights W[n, k] form a panel, element by element:
//   f32   [k][64]
//   bf16  [k / 2 rounded up][64][2]   pairs of consecutive elements of a row
//   fp8    [k / 128] records of [64] f32, the scales of that many elements of each row times 2^8, and [128][64] codes
//          of E4M3; a group with a code that stands for no number has a scale that is none
// Rows beyond n and elements beyond k are zeros. The form for bf16 is the one that VDPBF16PS and the second operand of
// TDPBF16PS want (oneDNN calls it BA16a64b2a).
inline constexpr int64_t kPanelRows = 64;

/// Elements of which k is made a multiple in bf16 panels.
inline constexpr int64_t kPanelDepth = 32;

/// Elements of a record of fp8 panels, and bytes of its scales and of all of it.
inline constexpr int64_t kFp8Group = 128;
inline constexpr int64_t kFp8ScaleBytes = kPanelRows * 4;
inline constexpr int64_t kFp8RecordBytes = kFp8ScaleBytes + kFp8Group * kPanelRows;

/// How rows of activations lie for products with panels: [m / rows rounded up][ld / group][rows][group], where a row
/// has ld numbers. Numbers that several rows need at the same time lie together, because whole rows are so far apart
/// that they push one another out of the caches.
struct RowLayout {
  int64_t rows, group;
};
inline constexpr RowLayout kWholeRows = {1, 1};
inline constexpr int64_t kFloatRows = 12;
inline constexpr RowLayout kFloatRowLayout = {kFloatRows, 1};   // for products in f32
inline constexpr RowLayout kTileRowLayout = {32, kPanelDepth};  // for matrix tiles, two of 16 rows at a time

}  // namespace cleave::kernels
