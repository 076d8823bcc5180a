#pragma once

#include <cstddef>

#include "lower/program.h"
#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

/// Whether scores depend on tables by distance, or weights on angles, for which there is a kernel of its own.
bool is_relative_attention(const graph::AttentionAttributes& attributes);

BoundInstruction bind_relative_attention(const lower::Instruction& instruction, const Workspace& workspace);
size_t relative_attention_scratch_bytes(const lower::Instruction& instruction, const Workspace& workspace);

BoundInstruction bind_centered_conv(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime::cpu
