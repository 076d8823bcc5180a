#pragma once

#include <vector>

#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// The largest factor of a tensor, so that its products with scales of blocks stay numbers.
inline constexpr float kMostFactor = 65504;

/// `tensor` with every number multiplied by a factor: one for all, or one for each index of the first dimension. NVFP4
/// becomes NVFP4_G16, which keeps the factor beside the levels; other types become F32. REQUIRES: one factor, or
/// shape[0] of them, of at most kMostFactor either way.
Tensor scaled_blocks(Tensor tensor, std::vector<float> factors);

}  // namespace cleave::ckpt
