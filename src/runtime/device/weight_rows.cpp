#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

void WeightRows::rows(int64_t first, std::span<const std::byte*> out, std::byte* buffer) const {
  const auto size = static_cast<size_t>(layout_.row_size());
  for (const std::byte*& where : out) {
    where = row(first++, {buffer, size}).data();
    buffer += size;
  }
}

int64_t WeightSource::total_bytes() const {
  int64_t bytes = 0;
  for (const RowLayout& layout : layouts()) bytes += layout.bytes();
  return bytes;
}

}  // namespace cleave::runtime
