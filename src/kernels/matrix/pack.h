#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"
#include "kernels/matrix/pack_options.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Whether weights of the type are packed in a layout of their own. Blocks without one stay as stored, and are slow.
bool has_layout(DType dtype);

/// Matrix::bytes() of the matrix that pack_matrix() would make. Throws as pack_matrix() does for the type and shape.
size_t packed_bytes(DType dtype, int64_t n, int64_t k, const PackOptions& options);

/// Packs an [n, k] matrix of any float or block type. Reads every row once, from all threads of the pool. Throws
/// Error(Unsupported) for integer types, Error(InvalidArgument) where a row has a wrong size or k is no multiple of the
/// type's block, Error(Corrupt) where numbers to be quantised are not finite, and whatever `rows` throws.
std::unique_ptr<Matrix> pack_matrix(DType dtype, int64_t n, int64_t k, RowReader rows, const PackOptions& options,
                                    ThreadPool& pool);

/// The same with a reader of many rows at a time. Sizes of rows are not checked.
std::unique_ptr<Matrix> pack_matrix_rows(DType dtype, int64_t n, int64_t k, RowsReader rows, const PackOptions& options,
                                         ThreadPool& pool);

}  // namespace cleave::kernels
