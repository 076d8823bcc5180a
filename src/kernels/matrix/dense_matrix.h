#pragma once

#include <memory>

#include "kernels/matrix/matrix.h"
#include "kernels/matrix/pack_options.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Keeps weights as f32 (F32 and F64) or bf16 (all other types without a block layout) in panels (dense_layout.h).
/// Products of several rows with bf16 weights round the activations to bf16 where the processor computes in it
/// (panel_product.h); all others multiply the f32 activations with the widened weights.
std::unique_ptr<Matrix> make_dense_matrix(DType dtype, int64_t n, int64_t k, RowsReader rows,
                                          const PackOptions& options, ThreadPool& pool);

/// Bytes of its weights.
size_t dense_matrix_bytes(DType dtype, int64_t n, int64_t k);

}  // namespace cleave::kernels
