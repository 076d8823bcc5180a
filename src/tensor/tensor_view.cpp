#include "tensor/tensor_view.h"

#include <fmt/ranges.h>

#include "base/check.h"

namespace cleave {

int64_t num_elements(const Shape& shape) {
  int64_t product = 1;
  for (const int64_t extent : shape) product *= extent;
  return product;
}

std::string to_string(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::span<const std::byte> TensorView::row(int64_t row) const {
  CHECK_LT(row, num_rows());
  const int64_t stride = row_bytes(dtype, row_elements());
  return bytes.subspan(static_cast<size_t>(row * stride), static_cast<size_t>(stride));
}

}  // namespace cleave
