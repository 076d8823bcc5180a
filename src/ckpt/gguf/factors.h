#pragma once

#include <string>
#include <vector>

#include "ckpt/gguf/gguf.h"

namespace cleave::ckpt {

/// Whether the tensor belongs to the quantisation of an NVFP4 weight: NAME.scale beside NAME.weight, or
/// NAME.input_scale, which would be for rounding activations and is not used.
bool is_factor(const GgufContents& contents, const std::string& name);

/// The factors of a weight of type NVFP4, NAME.scale beside NAME.weight: one number, or one for each expert; empty
/// where there are none. Throws Error(Corrupt) for another type or shape, and for numbers that are no factors.
std::vector<float> factors_of(const GgufContents& contents, const std::string& name);

}  // namespace cleave::ckpt
