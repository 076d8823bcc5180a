#pragma once

#include "runtime/binder.h"

namespace cleave::runtime {

// The instructions that keep a state of each sequence.
BoundInstruction bind_causal_conv(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_linear_attention(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_linear_recurrence(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime
