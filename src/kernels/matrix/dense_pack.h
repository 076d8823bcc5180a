#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/simd/table.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// What the numbers of a panel are.
enum class PanelForm : uint8_t { F32, Bf16, Fp8 };

/// Writes at most kPanelRows rows of k elements into a panel (layout/dense_layout.h): of a float type as F32 or Bf16,
/// of FP8_G128 as Fp8. Rows need no alignment. REQUIRES: the panel is zeroed; numbers that the rows do not have stay
/// so.
void pack_panel(DType dtype, std::span<const std::byte* const> rows, int64_t k, PanelForm form,
                const simd::Table& table, std::byte* panel);

}  // namespace cleave::kernels
