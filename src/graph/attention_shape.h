#pragma once

#include "graph/graph.h"
#include "graph/operands.h"

namespace cleave::graph {

/// The shape function of attention (shapes.cpp).
ResultType attention_shape(Operands& operands);

}  // namespace cleave::graph
