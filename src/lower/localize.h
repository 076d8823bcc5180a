#pragma once

#include "lower/part.h"
#include "lower/program_builder.h"

namespace cleave::lower {

/// Brings an instruction, whose inputs it has, from what its node says to what this rank does of it: attributes that
/// count heads or indices, where the rank's part begins, and what is kept of a sequence, which goes to `memory`. The
/// one table of what ops want of that. Throws Error(Unsupported) where a kernel would be missing.
void localize(const Part& part, Instruction& instruction, ProgramBuilder& program, RankPrograms& memory);

/// Makes room among `memory` for what the node keeps of a sequence, if anything. Every rank knows of all states, also
/// of those that it has no part of: the leader hands out slots for them.
void reserve_state(const graph::Node& node, RankPrograms& memory);

}  // namespace cleave::lower
