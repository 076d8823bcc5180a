#pragma once

#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

/// The call that an instruction becomes, from the one table of operations and kernels, or an exchange
/// (bind_exchange.h). `workspace` and the program must outlive it.
BoundInstruction bind(const lower::Instruction& instruction, const Workspace& workspace);

/// Bytes of scratch that the instruction wants for the program's largest step.
size_t scratch_bytes(const lower::Instruction& instruction, const Workspace& workspace);

/// Whether the table has an entry: false for operations that are resolved before there are instructions (inputs,
/// weights, reshapes).
bool has_kernel(graph::Op op);

}  // namespace cleave::runtime::cpu
