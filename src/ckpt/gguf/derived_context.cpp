#include "ckpt/gguf/derived_context.h"

#include <fmt/format.h>

namespace cleave::ckpt {

bool DerivedContext::layer_has(int64_t layer, std::string_view name) const {
  return keys.has_tensor(fmt::format("blk.{}.{}", layer, name));
}

}  // namespace cleave::ckpt
