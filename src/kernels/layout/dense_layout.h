#pragma once

#include <cstdint>

namespace cleave::kernels {

/// Rows of a weight matrix that lie together in a panel. A panel holds f32 as [k][64] and bf16 as [k / 2 rounded
/// up][64][2], pairs of consecutive elements of a row, rows beyond n and the odd element being zeros. The bf16 form is
/// what both VDPBF16PS and the second operand of TDPBF16PS want (oneDNN calls it BA16a64b2a).
inline constexpr int64_t kPanelRows = 64;

/// Elements that k is rounded up to in a bf16 panel.
inline constexpr int64_t kPanelDepth = 32;

/// How rows of activations lie for products with panels: [m / rows rounded up][ld / group][rows][group], where a row
/// takes ld numbers. What several rows need at a time then lies together; rows by themselves are so far apart that they
/// push one another out of caches.
struct RowLayout {
  int64_t rows, group;
};
inline constexpr RowLayout kWholeRows = {1, 1};
inline constexpr int64_t kFloatRows = 12;
inline constexpr RowLayout kFloatRowLayout = {kFloatRows, 1};   // what products in f32 read
inline constexpr RowLayout kTileRowLayout = {32, kPanelDepth};  // what those in matrix tiles may read: two of 16 rows

}  // namespace cleave::kernels
