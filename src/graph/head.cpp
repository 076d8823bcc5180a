#include "graph/head.h"

namespace cleave::graph {

NodeId find_head(const Graph& graph) {
  NodeId id = graph.outputs().at(0).node;
  while (graph.node(id).op != Op::Matmul) {
    if (graph.node(id).inputs.empty()) return -1;
    id = graph.node(id).inputs[0];
  }
  const NodeId weight = graph.node(id).inputs[1];
  return graph.node(weight).op == Op::Weight ? weight : -1;
}

}  // namespace cleave::graph
