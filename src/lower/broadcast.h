#pragma once

#include "lower/part.h"
#include "lower/program.h"

namespace cleave::lower {

/// Whether the op combines each element of its first operand with one of the second.
bool is_elementwise(graph::Op op);

/// Whether rows of shape `a` are made of whole repetitions of a weight of shape `b`.
bool is_suffix(const Shape& a, const Shape& b);

/// How the second operand of an elementwise node is repeated. `a` and `b` are the operands' shapes on this rank: of one
/// row, or of a whole parameter. Throws Error(Unsupported) where no kernel repeats it so.
Elementwise broadcast_of(const Part& part, graph::NodeId id, const Shape& a, const Shape& b);

}  // namespace cleave::lower
