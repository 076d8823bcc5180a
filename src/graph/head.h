#pragma once

#include "graph/graph.h"

namespace cleave::graph {

/// The weight of a model's head: of the last product before the first output, whatever elementwise ops follow it. -1 if
/// there is no such product.
NodeId find_head(const Graph& graph);

/// The weight in which the first look-up of token ids finds its rows. -1 if there is none.
NodeId find_token_embedding(const Graph& graph);

}  // namespace cleave::graph
