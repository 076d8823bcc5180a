#pragma once

#include <cstdint>

namespace cleave::kernels {

/// Rows of a weight matrix that lie together in a panel. A panel holds f32 as [k][64] and bf16 as [k / 2 rounded
/// up][64][2], pairs of consecutive elements of a row, rows beyond n and the odd element being zeros. The bf16 form is
/// what both VDPBF16PS and the second operand of TDPBF16PS want (oneDNN calls it BA16a64b2a).
inline constexpr int64_t kPanelRows = 64;

/// Elements that k is rounded up to in a bf16 panel.
inline constexpr int64_t kPanelDepth = 32;

}  // namespace cleave::kernels
