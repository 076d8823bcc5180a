#include "graph/tables.h"

#include <algorithm>

namespace cleave::graph {

// A look-up's inputs are indices, then the table (op.h).
std::optional<int64_t> fewest_rows(const Graph& graph, const Output& output, InputKind kind) {
  const std::vector<bool> needed = needed_for(graph, output);
  std::optional<int64_t> fewest;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!needed[i] || op_info(node.op).family != OpFamily::Embedding) continue;
    const Node& indices = graph.node(node.inputs[0]);
    if (indices.op != Op::Input || indices.as<InputAttributes>().kind != kind) continue;
    const int64_t rows = graph.shape(node.inputs[1]).front();
    fewest = std::min(fewest.value_or(rows), rows);
  }
  return fewest;
}

}  // namespace cleave::graph
