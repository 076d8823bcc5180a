#include "graph/rows.h"

#include <algorithm>

namespace cleave::graph {

Rows rows_of(const Graph& graph, NodeId id) {
  const std::vector<DimId>& dims = graph.node(id).dims;
  const auto is = [&](size_t dim, DimId what) { return dims.size() > dim && graph.dims().same(dims[dim], what); };
  if (is(1, graph.routed())) return Rows::Routed;
  if (is(0, graph.tokens())) return Rows::Tokens;
  return is(0, graph.output_rows()) ? Rows::OutputRows : Rows::Fixed;
}

size_t num_row_dims(Rows rows) {
  switch (rows) {
    case Rows::Fixed:
      return 0;
    case Rows::Tokens:
    case Rows::OutputRows:
      return 1;
    case Rows::Routed:
      return 2;
  }
  return 0;
}

namespace {

// Operations that make a weight of weights as it is loaded; what others make of weights alone is computed in every
// step.
bool makes_weights(Op op) {
  const OpFamily family = op_info(op).family;
  return family != OpFamily::Matmul && family != OpFamily::Norm;
}

}  // namespace

std::vector<bool> find_parameters(const Graph& graph) {
  std::vector<bool> parameters(graph.nodes().size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Node& node = graph.nodes()[i];
    const auto is_parameter = [&](NodeId input) { return parameters[static_cast<size_t>(input)]; };
    parameters[i] = node.op == Op::Weight ||
                    (node.op != Op::Input && makes_weights(node.op) && std::ranges::all_of(node.inputs, is_parameter));
  }
  return parameters;
}

bool attends_to_later(Op op, const Attributes& attributes) {
  const auto* attention = std::get_if<AttentionAttributes>(&attributes);
  return op == Op::CenteredConv || (attention != nullptr && !attention->cached());
}

bool attends_to_later(const Graph& graph) {
  return std::ranges::any_of(graph.nodes(),
                             [](const Node& node) { return attends_to_later(node.op, node.attributes); });
}

}  // namespace cleave::graph
