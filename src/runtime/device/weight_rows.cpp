#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

void WeightRows::rows(int64_t first, std::span<const std::byte*> out, std::byte* buffer) const {
  const auto size = static_cast<size_t>(row_bytes(dtype(), row_elements()));
  for (const std::byte*& where : out) {
    where = row(first++, {buffer, size}).data();
    buffer += size;
  }
}

}  // namespace cleave::runtime
