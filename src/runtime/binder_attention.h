#pragma once

#include "runtime/binder.h"

namespace cleave::runtime {

/// Attention over the layer's key-value cache, into which it puts the step's keys and values first.
BoundInstruction bind_attention(const lower::Instruction& instruction, const Workspace& workspace);
size_t attention_scratch_bytes(const lower::Instruction& instruction, const Workspace& workspace);

/// The matrices of some parameters.
std::vector<const kernels::Matrix*> matrices_of(const std::vector<int32_t>& parameters, const Workspace& workspace);

}  // namespace cleave::runtime
