#include "lower/weights.h"

#include <algorithm>

#include "graph/head.h"
#include "graph/rows.h"
#include "lower/broadcast.h"

namespace cleave::lower {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;
using graph::WeightUse;

namespace {

// Nodes from whose results a top_k chooses, directly or through ops that pass a choice.
std::vector<bool> find_deciding(const Graph& graph) {
  std::vector<bool> deciding(graph.nodes().size(), false);
  for (size_t i = deciding.size(); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    if (node.op != Op::TopK && !(deciding[i] && graph::op_info(node.op).passes_choice)) continue;
    for (const NodeId input : node.inputs) deciding[static_cast<size_t>(input)] = true;
  }
  return deciding;
}

// What any output needs.
std::vector<bool> find_needed(const Graph& graph) {
  std::vector<bool> needed(graph.nodes().size(), false);
  for (const graph::Output& output : graph.outputs()) {
    const std::vector<bool> own = graph::needed_for(graph, output);
    for (size_t i = 0; i < needed.size(); ++i) needed[i] = needed[i] || own[i];
  }
  return needed;
}

}  // namespace

Weights::Weights(const Part& part, ParameterTable& table)
    : part_(part),
      table_(table),
      views_(part.graph().nodes().size()),
      deciding_(find_deciding(part.graph())),
      head_(graph::find_head(part.graph())) {
  const std::vector<bool> needed = find_needed(part.graph());
  for (size_t i = 0; i < needed.size(); ++i) {
    const auto id = static_cast<NodeId>(i);
    if (!needed[i] || !part.is_parameter(id)) continue;
    std::vector<const WeightView*> inputs;
    for (const NodeId input : node(id).inputs) inputs.push_back(&view(input));
    views_[i] = view_of(part.graph(), id, inputs);
  }
}

Operand Weights::operand(NodeId user, size_t i) {
  const NodeId input = node(user).inputs[i];
  Parameter result = parameter(graph::weight_use(node(user).op, i), input, wanted(user, i));
  if (result.use == WeightUse::Matrix) {
    result.selects_experts = deciding_[static_cast<size_t>(user)];
    result.head = input == head_;
  }
  return {Operand::Kind::Parameter, table_.add(std::move(result))};
}

// The rank's part of the input, its dimensions of extent 1 repeated where an elementwise op could not repeat it.
WeightView Weights::wanted(NodeId user, size_t i) const {
  const Node& n = node(user);
  const WeightView mine = part_.view(view(n.inputs[i]), n.inputs[i], part_.input_axis(user, n.inputs[i]));
  if (i != 1 || !is_elementwise(n.op) || graph::rows_of(part_.graph(), n.inputs[0]) == graph::Rows::Routed) return mine;
  const Shape row = part_.row_shape(n.inputs[0], part_.input_axis(user, n.inputs[0]));
  return is_suffix(row, mine.shape) ? mine : repeated(mine, row).value_or(mine);
}

Parameter Weights::parameter(WeightUse use, NodeId id, WeightView view) const {
  std::string name = view.pieces.empty() ? node(id).name : view.pieces[0].tensor;
  return {use, std::move(name), std::move(view)};
}

bool Weights::is_batched(NodeId user) const {
  const Node& n = node(user);
  return n.op == Op::BlockMatmul || (n.op == Op::Matmul && node(n.inputs[1]).dims.size() == 3);
}

std::vector<int32_t> Weights::matrices(NodeId user) {
  const WeightView mine = wanted(user, 1);
  std::vector<int32_t> matrices;
  for (int64_t i = 0; i < mine.shape[0]; ++i) {
    Parameter matrix = parameter(WeightUse::Matrix, node(user).inputs[1], outermost(mine, i));
    matrix.of_expert = node(user).op == Op::Matmul;
    matrices.push_back(table_.add(std::move(matrix)));
  }
  return matrices;
}

}  // namespace cleave::lower
