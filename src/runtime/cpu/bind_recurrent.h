#pragma once

#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

// Instructions that keep a state of each sequence between steps (state_storage.h).
BoundInstruction bind_causal_conv(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_linear_attention(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_linear_recurrence(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime::cpu
