#pragma once

#include "ckpt/quantized/quantization.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// Finds the quantised modules by their stored tensors, puts the tensors of each together under the plain name of its
/// weight (NAME.weight, as if it were not quantised), and takes the parts' names away, as well as those of scales that
/// belong to activations and caches. Formats: docs/checkpoints.md.
///
/// Throws Error, naming a tensor: Corrupt where parts are missing or do not fit together or to the configuration, fp8
/// weights without scales included; Unsupported for packed weights that are not read.
void join_quantized(NamedTensors& tensors, const Quantization& quantization);

/// The name of a tensor of integers, which no method that is read explains; "" where there is none.
std::string packed_tensor(const NamedTensors& tensors);

}  // namespace cleave::ckpt
