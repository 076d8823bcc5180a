#pragma once

#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

// Small instructions with a single input: adding a constant, clamping, and numbers made of indices.
BoundInstruction bind_shift(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_clamp(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_to_real(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_sinusoid(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime::cpu
