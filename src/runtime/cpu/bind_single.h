#pragma once

#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

// Small instructions with a single computed input: adding a constant, clamping, numbers made of indices, columns in
// another order.
BoundInstruction bind_shift(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_clamp(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_to_real(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_gather_columns(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_sinusoid(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime::cpu
