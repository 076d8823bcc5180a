#pragma once

#include <string_view>

#include "ckpt/gguf/forms.h"
#include "ckpt/gguf/keys.h"

namespace cleave::ckpt {

/// Whether a tensor is stored under that name, or in any layer ("attn_q.bias").
bool any_layer_has(const GgufKeys& keys, std::string_view name);

/// layer_types from attention.sliding_window_pattern, where a file has it.
void add_window_pattern(const GgufKeys& keys, Json& config);

/// Completes a config by the function `name` of an architecture's row: what follows from several keys, from lists of
/// one value per layer or from tensors, or is written in llama.cpp's code alone. Throws Error(Unsupported) for settings
/// that the architecture's definition does not have. REQUIRES: `name` is one of them.
void derive(std::string_view name, const GgufKeys& keys, const ModelSizes& sizes, Json& config);

}  // namespace cleave::ckpt
