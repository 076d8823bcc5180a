#pragma once

#include "runtime/binder.h"

namespace cleave::runtime {

// Small operations of a single input: constants added, ranges, and what becomes of indices.
BoundInstruction bind_shift(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_clamp(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_to_real(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_sinusoid(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime
