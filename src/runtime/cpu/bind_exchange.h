#pragma once

#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

// Instructions that exchange data between ranks or cut it: those whose action is not Compute, and norms whose
// statistics are taken over all ranks.
BoundInstruction bind_exchange(const lower::Instruction& instruction, const Workspace& workspace);
bool is_distributed_norm(const lower::Instruction& instruction);
BoundInstruction bind_distributed_norm(const lower::Instruction& instruction, const Workspace& workspace);

/// Bytes of scratch that either wants for the program's largest step.
size_t exchange_scratch_bytes(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime::cpu
