#include "kernels/matrix/row_source.h"

#include <algorithm>
#include <cstring>

#include "tensor/convert.h"

namespace cleave::kernels {

RowSource::RowSource(DType dtype, int64_t k, RowsReader rows, int64_t max_rows)
    : reader_(rows),
      buffer_(new std::byte[static_cast<size_t>(max_rows * row_bytes(dtype, k))]),
      zeros_(static_cast<size_t>(row_bytes(dtype, k))),
      pointers_(static_cast<size_t>(max_rows)) {}

std::span<const std::byte* const> RowSource::rows(int64_t first, int64_t count) {
  const std::span<const std::byte*> some = std::span(pointers_).first(static_cast<size_t>(count));
  reader_(first, some, buffer_.get());
  return some;
}

std::span<const std::byte* const> RowSource::padded_rows(int64_t first, int64_t count) {
  rows(first, count);
  std::fill(pointers_.begin() + count, pointers_.end(), zeros_.data());
  return pointers_;
}

void widen(DType dtype, const simd::Table& table, const std::byte* from, int64_t count, float* to) {
  if (dtype == DType::BF16)
    table.widen_bfloat16(from, count, to);
  else if (dtype == DType::F16)
    table.widen_half(from, count, to);
  else if (dtype == DType::F32)
    std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
  else
    convert_to_f32(dtype, {from, static_cast<size_t>(count * info(dtype).block_bytes)},
                   {to, static_cast<size_t>(count)});
}

}  // namespace cleave::kernels
