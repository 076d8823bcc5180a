#pragma once

#include "base/json.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// Finds the tensors whose numbers only mean something together with a second one, joins the two under the name of the
/// first and takes the second's name away:
/// - NAME of type F8_E4M3 or F8_E5M2 with NAME_scale_inv or NAME_scale: one scale for the whole tensor, for each row,
///   or for each block of quantization_config.weight_block_size (128 x 128 where `config` does not tell); numbers are
///   multiplied by it;
/// - NAME_blocks [.., k / 32, 16] with NAME_scales [.., k / 32], both U8: MXFP4 with scales apart (OCP Microscaling
///   Formats 1.0), which becomes a tensor NAME_blocks [.., k] of type MXFP4.
/// The first give F32, the second MXFP4. Throws Error(Corrupt), naming both tensors and their shapes, where the two do
/// not fit together.
void join_scales(NamedTensors& tensors, const Json& config);

}  // namespace cleave::ckpt
