#pragma once

#include "graph/graph.h"

namespace cleave::graph {

/// How many rows a value has in a step of T tokens, of which R give logits.
enum class Rows : uint8_t {
  Fixed,       // as many in any step: weights
  Tokens,      // T
  OutputRows,  // R
  Routed,      // each token once for each expert that it chose, sorted by expert: T * slots
};

/// What the dimensions of the node's result say.
Rows rows_of(const Graph& graph, NodeId id);

/// How many outermost dimensions count rows; the others are those of one row.
size_t num_row_dims(Rows rows);

/// Whether each node is made of weights alone as they are loaded; by node. Products and norms of weights are not.
std::vector<bool> find_parameters(const Graph& graph);

/// Whether an operation's tokens need later ones of their own text, so that a step has the whole of each of its
/// sequences.
bool attends_to_later(Op op, const Attributes& attributes);
/// Whether any operation's do.
bool attends_to_later(const Graph& graph);

}  // namespace cleave::graph
