#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace cleave::define {

/// The architecture, one of `served`, by which a configuration is computed: architectures[0] where it is served;
/// otherwise, as in Transformers' AutoModelForCausalLM, the one that model_type stands for, where the configuration
/// names no architecture or the bare model of that type (LlamaModel). Nothing where neither leads to one.
std::optional<std::string> served_architecture(const Json& config, const std::vector<std::string>& served);

}  // namespace cleave::define
