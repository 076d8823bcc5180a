#pragma once

#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// The numbers of a tensor of a block type, as F32, for readers that cut its blocks or read across its rows. The view
/// stays the stored one, since what is stored takes no more bytes.
Tensor dequantised(const Tensor& blocks);

}  // namespace cleave::ckpt
