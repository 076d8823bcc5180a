#pragma once

#include <cstdint>

#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// Number `index` of a stored tensor of a floating-point type, counted row-major: a scale, a minimum and the like,
/// which are read one at a time. REQUIRES: it exists.
float number_at(const TensorView& stored, int64_t index);

}  // namespace cleave::ckpt
