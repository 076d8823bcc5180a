#pragma once

#include <memory>

#include "kernels/matrix/matrix.h"
#include "kernels/matrix/pack_options.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// A matrix that keeps rows as stored. A product converts a few rows at a time to f32, in scratch, and multiplies all
/// of x with them.
std::unique_ptr<Matrix> make_exact_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool);

}  // namespace cleave::kernels
