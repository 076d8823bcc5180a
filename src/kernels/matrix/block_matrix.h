#pragma once

#include <memory>

#include "kernels/matrix/matrix.h"
#include "kernels/matrix/pack_options.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Whether weights of this type are packed in a layout of blocks (layout/block_layout.h).
bool has_block_layout(DType dtype);

/// A matrix that keeps blocks as blocks, laid out for 8-bit dot products with quantised activations, in at most 6% more
/// memory than the file's. Weights of float types are quantised while packing, as options.format says; throws
/// Error(Corrupt) where one is not finite.
std::unique_ptr<Matrix> make_block_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool);

/// Matrix::bytes() of such a matrix.
size_t block_matrix_bytes(DType dtype, int64_t n, int64_t k, WeightFormat format);

}  // namespace cleave::kernels
