#include "ckpt/tensors/tensor.h"

#include <algorithm>

namespace cleave::ckpt {

std::span<const std::byte> TensorReader::run(int64_t, int64_t) const {
  return {};
}

void read_elements(const Tensor& tensor, int64_t element, std::span<std::byte> target) {
  const DTypeInfo& type = info(tensor.dtype());
  if (!tensor.reader) {
    const auto first = static_cast<size_t>(element / type.block_elements * type.block_bytes);
    std::ranges::copy(tensor.view.bytes.subspan(first, target.size()), target.begin());
    return;
  }
  const int64_t columns = tensor.view.row_elements();
  while (!target.empty()) {
    const int64_t left = static_cast<int64_t>(target.size()) / type.block_bytes * type.block_elements;
    const int64_t count = std::min(left, columns - element % columns);
    const auto size = static_cast<size_t>(row_bytes(tensor.dtype(), count));
    tensor.reader->read(element, target.first(size));
    target = target.subspan(size);
    element += count;
  }
}

}  // namespace cleave::ckpt
