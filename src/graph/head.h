#pragma once

#include "graph/graph.h"

namespace cleave::graph {

/// A model's head: the weight of the last product before the first output, whatever elementwise follows; -1 where there
/// is none.
NodeId find_head(const Graph& graph);

}  // namespace cleave::graph
