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

NodeId find_token_embedding(const Graph& graph) {
  const auto is_token_ids = [&](NodeId id) {
    const Node& node = graph.node(id);
    return node.op == Op::Input && node.as<InputAttributes>().kind == InputKind::TokenIds;
  };
  for (const Node& node : graph.nodes())
    if (node.op == Op::Embedding && is_token_ids(node.inputs[0])) return node.inputs[1];
  return -1;
}

}  // namespace cleave::graph
