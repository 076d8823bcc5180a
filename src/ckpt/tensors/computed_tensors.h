#pragma once

#include <cstdint>
#include <vector>

#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// `view` [..., a, b] as [..., b, a]: of its own type where that is a floating-point one, of F32 otherwise.
/// REQUIRES: two dimensions at least.
Tensor transposed(const TensorView& view);

/// A function of every number of `tensor`, as F32.
Tensor applied(Tensor tensor, double (*function)(double));

/// A matrix with its columns in another order: those of `unit` columns from unit * order[i] on come at unit * i. Of its
/// own type where no block is cut, of F32 otherwise. REQUIRES: a row has order.size() * unit elements.
Tensor permuted_columns(const TensorView& view, int64_t unit, std::vector<int64_t> order);

}  // namespace cleave::ckpt
