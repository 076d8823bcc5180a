#include "ckpt/tensor_source.h"

#include <utility>

namespace cleave::ckpt {

const Tensor* find(const NamedTensors& tensors, std::string_view name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

std::vector<std::string> names_of(const NamedTensors& tensors) {
  std::vector<std::string> names;
  names.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

TensorTable TensorSource::table() const {
  TensorTable table;
  for (std::string& name : names()) {
    const TensorView& view = find(name)->view;
    table.emplace_hint(table.end(), std::move(name), TensorInfo{view.dtype, view.shape});
  }
  return table;
}

}  // namespace cleave::ckpt
