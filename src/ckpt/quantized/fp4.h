#pragma once

#include <span>
#include <string>
#include <vector>

#include "ckpt/quantized/grid.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// FP4 (E2M1) numbers, two in a byte, the first in its low half, and the scales of their groups along the last
/// dimension: 32 numbers by powers of two (F8_E8M0), or 16 by F8_E4M3 numbers, which `factor` multiplies.
struct Fp4 {
  std::string name;  // for messages
  Shape shape;       // of the numbers
  std::span<const std::byte> pairs;
  Grid pair_grid;  // of rows and pairs
  TensorView scales;
  Grid scale_grid;  // of rows and groups
  float factor = 1;
  std::vector<TensorView> parts = {};
};

/// As a tensor of MXFP4 or NVFP4_G16 blocks; of F32 numbers where half-precision scales could not hold them.
Tensor fp4_tensor(Fp4 weight);

/// The same where rows of pairs and of scales lie one behind the other.
Tensor fp4_rows(const std::string& name, const Shape& shape, std::span<const std::byte> pairs, const TensorView& scales,
                float factor, std::vector<TensorView> parts);

}  // namespace cleave::ckpt
