#pragma once

#include "graph/op.h"
#include "kernels/params/unary_kind.h"

namespace cleave::runtime::cpu {

/// The function of module kernels that computes a unary function of a graph.
kernels::UnaryKind unary_kernel(graph::UnaryKind kind);

}  // namespace cleave::runtime::cpu
