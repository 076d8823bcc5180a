#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/simd/table.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Writes rows of k elements of a type that is not one of blocks, at most kPanelRows, into a panel (dense_layout.h)
/// that holds zeros: as f32 where `wide`, else as bf16. Rows need no alignment.
void pack_panel(DType dtype, std::span<const std::byte* const> rows, int64_t k, bool wide, const simd::Table& table,
                std::byte* panel);

}  // namespace cleave::kernels
