#include "ckpt/tensors/tensor.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "tensor/convert.h"
#include "tensor/tensor_table.h"

namespace cleave::ckpt {

std::span<const std::byte> TensorReader::run(int64_t, int64_t) const {
  return {};
}

void add_sorted_columns(NamedTensors& tensors) {
  NamedTensors sorted;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.sorted) continue;
    sorted.emplace(name + std::string(kSortedColumns), tensor.sorted->matrix);
    sorted.emplace(name + std::string(kColumnOrder), tensor.sorted->order);
  }
  tensors.merge(sorted);
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

void read_as_f32(const Tensor& tensor, int64_t element, std::span<std::byte> target) {
  const DTypeInfo& type = info(tensor.dtype());
  const int64_t skipped = element % type.block_elements;
  const auto count = static_cast<int64_t>(target.size() / sizeof(float));
  const int64_t blocks = (skipped + count + type.block_elements - 1) / type.block_elements;
  std::vector<std::byte> stored(static_cast<size_t>(blocks * type.block_bytes));
  read_elements(tensor, element - skipped, stored);
  std::vector<float> numbers(static_cast<size_t>(blocks * type.block_elements));
  convert_to_f32(tensor.dtype(), stored, numbers);
  std::memcpy(target.data(), numbers.data() + skipped, target.size());
}

}  // namespace cleave::ckpt
