#pragma once

#include <cstdint>
#include <span>

#include "ckpt/gguf/derived_context.h"

namespace cleave::ckpt {

/// Functions that complete a config in what is about attention and its positions.
std::span<const DerivedFunction> attention_functions();

/// Every `period`th layer sees everything, the others have a window; all see everything where there is no window.
void set_windows(DerivedContext& context, int64_t period);

}  // namespace cleave::ckpt
