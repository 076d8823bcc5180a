#include <set>
#include <string>

#include "base/check.h"
#include "graph/graph.h"
#include "graph/stored_name.h"

namespace cleave::graph {
namespace {

template <class... Args>
[[noreturn]] void broken(const Graph& graph, NodeId id, fmt::format_string<Args...> format, Args&&... args) {
  const Node& node = graph.node(id);
  fail(ErrorKind::Internal, "graph node %{} ({}{}{}): {}", id, op_info(node.op).name, node.name.empty() ? "" : " of ",
       node.name, fmt::format(format, std::forward<Args>(args)...));
}

void verify_inputs(const Graph& graph, NodeId id) {
  for (const NodeId input : graph.node(id).inputs)
    if (input < 0 || input >= id) broken(graph, id, "input %{} does not precede it", input);
}

// The op's shape function must give the recorded extents again. It runs on a copy, since it may relate dimensions.
void verify_shape(const Graph& graph, Graph& scratch, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op == Op::Weight) return;
  const ResultType type = infer(node.op, node.inputs, node.attributes, scratch);
  Shape shape;
  for (const DimId dim : type.dims) shape.push_back(scratch.dims().extent(dim));
  if (shape != graph.shape(id))
    broken(graph, id, "has shape {} where its inputs give {}", to_string(graph.shape(id)), to_string(shape));
  if (type.element != node.element) broken(graph, id, "numbers and indices are confused");
}

// Number of the state that the node keeps, -1 for none.
int state_of(const Node& node) {
  if (const auto* a = std::get_if<StateAttributes>(&node.attributes)) return a->state;
  if (const auto* a = std::get_if<LinearAttentionAttributes>(&node.attributes)) return a->state;
  return -1;
}

void verify_outputs(const Graph& graph) {
  std::set<std::string_view> names;
  for (const Output& output : graph.outputs()) {
    if (output.node < 0 || output.node >= static_cast<NodeId>(graph.nodes().size()))
      fail(ErrorKind::Internal, "graph output {}: node %{} does not exist", output.name, output.node);
    if (!names.insert(output.name).second) fail(ErrorKind::Internal, "graph output {} is there twice", output.name);
  }
}

}  // namespace

void verify(const Graph& graph) {
  Graph scratch = graph;
  std::set<std::string> weights;
  std::set<int> layers, states;
  const auto count = static_cast<NodeId>(graph.nodes().size());
  for (NodeId id = 0; id < count; ++id) {
    const Node& node = graph.node(id);
    if (node.attributes.index() != op_info(node.op).attributes) broken(graph, id, "has the attributes of another op");
    verify_inputs(graph, id);
    verify_shape(graph, scratch, id);
    if (node.op == Op::Weight && !weights.insert(stored_name(node.as<WeightAttributes>(), 0)).second)
      broken(graph, id, "the same weight appears twice");
    if (node.op == Op::Attention && node.as<AttentionAttributes>().cached() &&
        !layers.insert(node.as<AttentionAttributes>().layer).second)
      broken(graph, id, "key-value cache {} is used twice", node.as<AttentionAttributes>().layer);
    if (const int state = state_of(node); state >= 0 && !states.insert(state).second)
      broken(graph, id, "state {} is used twice", state);
  }
  verify_outputs(graph);
}

}  // namespace cleave::graph
