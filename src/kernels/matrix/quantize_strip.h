#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/matrix/pack_options.h"
#include "kernels/simd/table.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Quantises kStripRows rows of k elements of a float type into a strip (layout/block_layout.h) of the layout Q8_0 or,
/// for Int4, Q4_1. Throws Error(Corrupt) where a number is not finite, naming its row; `first` is the number of the
/// first row. REQUIRES: k is a multiple of 32.
void quantize_strip(DType dtype, std::span<const std::byte* const> rows, int64_t k, WeightFormat format,
                    const simd::Table& table, int64_t first, std::byte* strip);

}  // namespace cleave::kernels
