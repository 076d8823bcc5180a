#include "tensor/dtype.h"

#include "base/check.h"

namespace cleave {
bool is_float(DType dtype) {
  return dtype <= DType::F8_E8M0;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (size_t i = 0; i < kDTypes.size(); ++i)
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

int64_t row_bytes(DType dtype, int64_t elements) {
  CHECK_EQ(elements % info(dtype).block_elements, 0);
  return elements / info(dtype).block_elements * info(dtype).block_bytes;
}

}  // namespace cleave
