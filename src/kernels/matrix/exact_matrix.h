#pragma once

#include <memory>

#include "kernels/matrix/matrix.h"
#include "kernels/matrix/pack_options.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Keeps rows as stored and computes in f32: a few rows at a time are converted into scratch and multiplied with all of
/// x.
std::unique_ptr<Matrix> make_exact_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool);

}  // namespace cleave::kernels
