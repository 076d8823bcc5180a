#pragma once

#include <cstdint>

namespace cleave::ckpt {

/// Where the element of a row and a column stands in a stored tensor, which may hold several matrices, one behind the
/// other, and each of them transposed. Rows of all matrices are counted together.
struct Grid {
  int64_t rows = 1;  // of one matrix
  int64_t matrix_stride = 0;
  int64_t row_stride = 0;
  int64_t column_stride = 0;

  int64_t at(int64_t row, int64_t column) const {
    return row / rows * matrix_stride + row % rows * row_stride + column * column_stride;
  }
};

}  // namespace cleave::ckpt
