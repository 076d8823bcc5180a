#pragma once

#include <string>

#include "ckpt/quantized/module.h"

/// The formats of quantised weights, one function each: it takes the stored tensors of a module and gives the plain
/// weight that they stand for, whose numbers come from a reader. Layouts: docs/checkpoints.md. All throw
/// Error(Corrupt), naming a tensor, where the parts do not fit together or the configuration contradicts them, and
/// Error(Unsupported) for variants that are not read.
namespace cleave::ckpt {

/// GPTQ and AutoRound: NAME.qweight, .qzeros, .scales and .g_idx. `zero_offset` is what is added to stored zero points.
Tensor join_gptq(Module& module, int zero_offset);
/// Bits and stored zero points of GPTQ say what is to be added to them: 1 by version 1 of the format, 0 by version 2.
/// Labels are wrong where a symmetric model's zero points are all in the middle by the other version.
int gptq_zero_offset(const NamedTensors& tensors, const Quantization& quantization);

/// AWQ: NAME.qweight, .qzeros and .scales, of its versions gemm and gemv.
Tensor join_awq(Module& module);

/// compressed-tensors' NAME.weight_packed: integers, or FP4 of NVIDIA or of the MX standard.
Tensor join_packed(Module& module);
/// The same tool's NAME.weight of signed bytes with NAME.weight_scale.
Tensor join_int8(Module& module);

/// bitsandbytes: NAME.weight with NAME.weight.absmax (4 bits), or with NAME.SCB (8 bits).
Tensor join_bnb4(Module& module);
Tensor join_bnb8(Module& module);

/// MLX: NAME.weight of words, .scales and .biases; stacked experts, too.
Tensor join_mlx(Module& module);

/// HQQ: NAME.W_q, .scale, .zero and settings as tensors.
Tensor join_hqq(Module& module);

/// AQLM: NAME.codes, .codebooks and .scales.
Tensor join_aqlm(Module& module);

/// fp8 numbers NAME + `weight` with one scale for the tensor, each row, column or block, wherever the tools put it.
Tensor join_fp8(Module& module, const std::string& weight);
/// Whether there is a scale for NAME + `weight`.
bool has_fp8_scale(Module& module, const std::string& weight);

/// FP4 (E2M1) in bytes NAME.weight with NAME.weight_scale: NVIDIA's with NAME.weight_scale_2, or the MX standard's.
Tensor join_fp4(Module& module);
/// NVIDIA's FP4 of stacked experts [experts, in / 2, out], as a tensor [experts, out, in].
Tensor join_stacked_fp4(Module& module);
/// MXFP4 experts NAME_blocks with NAME_scales.
Tensor join_mxfp4_blocks(Module& module);

}  // namespace cleave::ckpt
