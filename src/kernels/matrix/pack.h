#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"
#include "kernels/matrix/pack_options.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// What Matrix::bytes() of such a matrix will be; the same errors.
size_t packed_bytes(DType dtype, int64_t n, int64_t k, const PackOptions& options);

/// Packs an [n, k] matrix of any float or block type. Reads every row once, from all threads of the pool.
/// Throws Error(Unsupported) for integer types, whatever `rows` throws, and Error(InvalidArgument) where a row has a
/// wrong size or k is no multiple of the type's block.
std::unique_ptr<Matrix> pack_matrix(DType dtype, int64_t n, int64_t k, RowReader rows, const PackOptions& options,
                                    ThreadPool& pool);
/// The same with rows that are read many at a time; their sizes are not checked.
std::unique_ptr<Matrix> pack_matrix_rows(DType dtype, int64_t n, int64_t k, RowsReader rows, const PackOptions& options,
                                         ThreadPool& pool);

}  // namespace cleave::kernels
