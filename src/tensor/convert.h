#pragma once

#include <cstdint>
#include <span>

#include "tensor/dtype.h"

namespace cleave {

/// Converts elements of any float or block type to f32, bit-equal to gguf-py's and llama.cpp's scalar dequantisation.
/// REQUIRES: `source` holds exactly output.size() elements, whole blocks for block types. No alignment is needed.
/// Throws Error(Unsupported) for integer types.
void convert_to_f32(DType dtype, std::span<const std::byte> source, std::span<float> output);

}  // namespace cleave
