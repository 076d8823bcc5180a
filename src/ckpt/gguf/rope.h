#pragma once

#include "ckpt/gguf/keys.h"

namespace cleave::ckpt {

/// Adds rotary settings to a config of Transformers 4: rope_theta, partial_rotary_factor, rope_scaling. Head sizes of
/// the config must be there already. Throws Error(Unsupported) for types that Hugging Face does not have,
/// Error(Corrupt) for numbers that fit nothing.
void add_rope(const GgufKeys& keys, Json& config);

}  // namespace cleave::ckpt
