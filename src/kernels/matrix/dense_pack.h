#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/simd/table.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Writes at most kPanelRows rows of k elements of a float type into a panel (layout/dense_layout.h), as f32 if `wide`,
/// else as bf16. Rows need no alignment. REQUIRES: the panel is zeroed; numbers that the rows do not have stay so.
void pack_panel(DType dtype, std::span<const std::byte* const> rows, int64_t k, bool wide, const simd::Table& table,
                std::byte* panel);

}  // namespace cleave::kernels
