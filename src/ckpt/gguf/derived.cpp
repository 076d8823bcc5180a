#include "ckpt/gguf/derived.h"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "ckpt/gguf/derived_attention.h"
#include "ckpt/gguf/derived_blocks.h"

namespace cleave::ckpt {

bool any_layer_has(const GgufKeys& keys, std::string_view name) {
  if (keys.has_tensor(name)) return true;
  const auto& tensors = keys.contents().tensors;
  return std::any_of(tensors.begin(), tensors.end(), [&](const auto& entry) {
    const std::string_view stored = entry.first;
    return stored.starts_with("blk.") && stored.ends_with(name) &&
           stored.substr(0, stored.size() - name.size()).find_last_not_of("0123456789.") == 2;
  });
}

void add_window_pattern(const GgufKeys& keys, Json& config) {
  if (!config.contains("sliding_window") || config["sliding_window"].is_null()) return;
  const int64_t layers = keys.required("block_count") - keys.integer("nextn_predict_layers").value_or(0);
  const std::string key = keys.key("attention.sliding_window_pattern");
  const auto found = keys.contents().metadata.values().find(key);
  if (found == keys.contents().metadata.values().end()) return;
  Json types = Json::array();
  if (!std::holds_alternative<GgufArray>(found->second)) {
    const int64_t period = keys.required("attention.sliding_window_pattern");
    for (int64_t layer = 0; layer < layers; ++layer)
      types.push_back((layer + 1) % period != 0 ? "sliding_attention" : "full_attention");
  } else {
    const std::vector<int64_t> pattern =
        keys.per_layer("attention.sliding_window_pattern", layers).value_or(std::vector<int64_t>());
    for (const int64_t slides : pattern) types.push_back(slides != 0 ? "sliding_attention" : "full_attention");
  }
  config["layer_types"] = types;
}

void derive(std::string_view name, const GgufKeys& keys, const ModelSizes& sizes, Json& config) {
  DerivedContext context = {keys, sizes, config};
  for (const auto functions : {attention_functions(), block_functions()})
    for (const DerivedFunction& function : functions)
      if (function.name == name) return function.run(context);
  fail(ErrorKind::Internal, "the table of GGUF architectures derives an unknown {}", name);
}

}  // namespace cleave::ckpt
