#pragma once

#include <cstdint>
#include <vector>

#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// A change of a matrix by a product of two narrow ones: left [rows, inner] times right [inner, columns].
struct LowRankChange {
  int64_t inner = 0;
  std::vector<float> left, right;  // row-major
};

/// The matrix `base` with the change added to it, as f32 (LoRA: Hu et al., arXiv:2106.09685). The sum is made as rows
/// are read; nothing but the narrow matrices is kept. REQUIRES: base has two dimensions, which are those of the change.
Tensor with_low_rank_change(Tensor base, LowRankChange change);

}  // namespace cleave::ckpt
