#pragma once

#include <cstdint>
#include <vector>

#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// A tensor of shape `shape` whose rows are rows of others: row r is the row order[r] of all sources behind one
/// another. Elements keep the type that all sources have in common; where they have none they come as F32. REQUIRES: a
/// row has `columns` elements, whole blocks of every source; rows and shape hold as many elements; each entry of
/// `order` is a row.
Tensor selected_rows(std::vector<Tensor> sources, int64_t columns, std::vector<int64_t> order, Shape shape);

}  // namespace cleave::ckpt
