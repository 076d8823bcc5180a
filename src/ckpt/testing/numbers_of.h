#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "ckpt/safetensors.h"

namespace cleave::ckpt {

/// The bytes of a tensor as an array of T, for tests; empty where the file has none of that name.
template <class T>
std::vector<T> numbers_of(const SafetensorsFile& file, std::string_view name) {
  const TensorView* view = file.find(name);
  if (view == nullptr) return {};
  std::vector<T> values(view->bytes.size() / sizeof(T));
  std::memcpy(values.data(), view->bytes.data(), view->bytes.size());
  return values;
}

}  // namespace cleave::ckpt
