#pragma once

#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

// Instructions that only move activations: each becomes one strided copy per input. They throw Error(Unsupported)
// for rows of more than four dimensions and for dimensions that a step decides.
BoundInstruction bind_slice(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_transpose(const lower::Instruction& instruction, const Workspace& workspace);
BoundInstruction bind_concat(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime::cpu
