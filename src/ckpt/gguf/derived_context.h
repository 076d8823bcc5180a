#pragma once

#include <cstdint>
#include <string_view>

#include "ckpt/gguf/forms.h"
#include "ckpt/gguf/keys.h"

namespace cleave::ckpt {

/// What a function that completes a config sees and completes.
struct DerivedContext {
  const GgufKeys& keys;
  const ModelSizes& sizes;
  Json& config;

  bool layer_has(int64_t layer, std::string_view name) const;  // a tensor of that layer
  int64_t kv_heads(int64_t layer) const { return sizes.kv_heads[static_cast<size_t>(layer)]; }
  /// A required metadata key over another.
  int64_t ratio(std::string_view whole, std::string_view part) const {
    return keys.required(whole) / keys.required(part);
  }

  /// A list of one value for each layer.
  template <class Value>
  Json each_layer(Value value) const {
    Json list = Json::array();
    for (int64_t layer = 0; layer < sizes.num_layers; ++layer) list.push_back(value(layer));
    return list;
  }
};

/// A function that an architecture's row names behind "derive".
struct DerivedFunction {
  std::string_view name;
  void (*run)(DerivedContext&);
};

}  // namespace cleave::ckpt
