#pragma once

#include <span>

#include "ckpt/gguf/derived_context.h"

namespace cleave::ckpt {

/// Functions that complete a config in what is about feed-forward and recurrent blocks.
std::span<const DerivedFunction> block_functions();

}  // namespace cleave::ckpt
