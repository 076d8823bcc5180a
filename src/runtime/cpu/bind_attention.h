#pragma once

#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

/// Attention over the layer's key-value cache, into which it puts the step's keys and values first.
BoundInstruction bind_attention(const lower::Instruction& instruction, const Workspace& workspace);
/// Keys and values that another program's attention will read (lower::Action::Keep).
BoundInstruction bind_keep(const lower::Instruction& instruction, const Workspace& workspace);
size_t attention_scratch_bytes(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime::cpu
