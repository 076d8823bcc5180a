#pragma once

#include "graph/op.h"
#include "kernels/params/unary_kind.h"

namespace cleave::runtime::cpu {

/// The kernels' name of a graph's function.
kernels::UnaryKind unary_kernel(graph::UnaryKind kind);

}  // namespace cleave::runtime::cpu
