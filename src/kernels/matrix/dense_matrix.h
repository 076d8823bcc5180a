#pragma once

#include <memory>

#include "kernels/matrix/matrix.h"
#include "kernels/matrix/pack_options.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// A matrix that keeps weights in panels (layout/dense_layout.h): F32 and F64 as f32, FP8_G128 as fp8, other float
/// types as bf16. Products of several rows with bf16 and fp8 weights round the activations to bf16 if the processor
/// multiplies bf16 (panel_product.h). All other products widen the weights to f32 and leave the activations as they
/// are.
std::unique_ptr<Matrix> make_dense_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool);

/// Matrix::bytes() of such a matrix.
size_t dense_matrix_bytes(DType dtype, int64_t n, int64_t k);

}  // namespace cleave::kernels
