#pragma once

#include <optional>
#include <string>

#include "ckpt/quantized/quantization.h"
#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// The type of about the size in which a checkpoint of that configuration stores a linear's weight, for planning
/// without the weights. `name` is the weight's, `shape` [.., out, in]. Nothing where the configuration leaves it as it
/// is, by its lists or because the method does (embeddings, heads and routers, but for MLX and where a setting says
/// so).
std::optional<DType> planned_type(const Quantization& quantization, const std::string& name, const Shape& shape);

}  // namespace cleave::ckpt
