#pragma once

#include <cstdint>
#include <vector>

#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// A stored matrix or vector with its rows (elements of a vector) in another order: row r is the stored row order[r].
/// REQUIRES: order has view.shape[0] entries, each a row of `view`, which has one or two dimensions.
Tensor permuted_rows(const TensorView& view, std::vector<int64_t> order);

}  // namespace cleave::ckpt
