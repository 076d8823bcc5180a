#pragma once

#include <cstddef>

#include "lower/program.h"
#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

/// Attention that keeps nothing: every sequence of a step is there as a whole, and its tokens attend to one another.
/// Keys and values lie in scratch in the blocks of a cache, so that the kernel is that of cached ones.
BoundInstruction bind_whole_attention(const lower::Instruction& instruction, const Workspace& workspace);
size_t whole_attention_scratch_bytes(const lower::Instruction& instruction, const Workspace& workspace);

}  // namespace cleave::runtime::cpu
