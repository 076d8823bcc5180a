#pragma once

#include <vector>

#include "ckpt/quantized/grid.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// Factors of the numbers of a matrix, one for each block of rows x columns.
struct BlockScales {
  TensorView stored;
  Grid grid;  // its strides are those of blocks; grid.rows counts the rows of one matrix
  int64_t rows = 1, columns = 1;
};

/// A tensor of fp8 numbers that are multiplied by their blocks' scales.
Tensor scaled_fp8(TensorView weight, BlockScales scales, std::vector<TensorView> parts);

}  // namespace cleave::ckpt
