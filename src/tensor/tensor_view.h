#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor/dtype.h"

namespace cleave {

/// Extents of a tensor, outermost first. Empty for a scalar.
using Shape = std::vector<int64_t>;

/// Product of the extents; 1 for a scalar. REQUIRES: it fits into int64 (readers check that before they make a shape).
int64_t num_elements(const Shape& shape);

/// "[151936, 896]".
std::string to_string(const Shape& shape);

/// A borrowed, contiguous, row-major tensor. Rows of block types hold whole blocks. Whoever made it says what it
/// borrows from.
struct TensorView {
  DType dtype = DType::F32;
  Shape shape;
  std::span<const std::byte> bytes;

  /// Extent of the last dimension (1 for a scalar) and number of such rows.
  int64_t row_elements() const { return shape.empty() ? 1 : shape.back(); }
  int64_t num_rows() const { return row_elements() == 0 ? 0 : num_elements(shape) / row_elements(); }

  /// The bytes of one row. REQUIRES: 0 <= row < num_rows().
  std::span<const std::byte> row(int64_t row) const;
};

}  // namespace cleave
