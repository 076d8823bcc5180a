#pragma once

#include <memory>

#include "kernels/matrix/matrix.h"
#include "kernels/matrix/pack_options.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// True if blocks of that type have a layout of their own (block_layout.h).
bool has_block_layout(DType dtype);

/// Keeps blocks as blocks, laid out for 8-bit dot products with quantised activations; memory within 6% of the file's.
/// Float types are quantised while packing, as options.format says; throws Error(Corrupt) where they are not finite.
std::unique_ptr<Matrix> make_block_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool);

/// Bytes of its weights.
size_t block_matrix_bytes(DType dtype, int64_t n, int64_t k, WeightFormat format);

}  // namespace cleave::kernels
