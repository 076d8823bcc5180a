#include "kernels/row_source.h"

#include "base/error.h"
#include "tensor/convert.h"

namespace cleave::kernels {

RowSource::RowSource(DType dtype, int64_t k, RowReader rows)
    : dtype_(dtype), k_(k), rows_(rows), buffer_(static_cast<size_t>(row_bytes(dtype, k))) {}

std::span<const std::byte> RowSource::bytes(int64_t row) {
  const std::span<const std::byte> bytes = rows_(row, buffer_);
  if (bytes.size() != buffer_.size())
    fail(ErrorKind::InvalidArgument, "row {} of a weight has {} bytes, expected {} for {} elements of {}", row,
         bytes.size(), buffer_.size(), k_, to_string(dtype_));
  return bytes;
}

std::span<const float> RowSource::floats(int64_t row) {
  floats_.resize(static_cast<size_t>(k_));
  convert_to_f32(dtype_, bytes(row), floats_);
  return floats_;
}

}  // namespace cleave::kernels
