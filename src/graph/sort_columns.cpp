#include <map>
#include <string>
#include <utility>

#include "graph/graph.h"
#include "tensor/tensor_table.h"

namespace cleave::graph {
namespace {

/// Copies a graph, node by node, into one in which products use sorted columns where there are any.
class ColumnSorter {
 public:
  ColumnSorter(const Graph& from, const std::function<bool(const std::string&)>& is_stored)
      : from_(from), is_stored_(is_stored) {}

  Graph run() {
    for (const Node& node : from_.nodes()) new_.push_back(copy(node));
    for (const Output& output : from_.outputs()) to_.add_output(output.name, value(output.node));
    return std::move(to_);
  }

 private:
  NodeId value(NodeId id) const { return new_[static_cast<size_t>(id)]; }

  bool is_sorted(const Node& weight) const {
    if (weight.op != Op::Weight || weight.dims.size() != 2) return false;
    const auto& a = weight.as<WeightAttributes>();
    return a.stacked == 0 && is_stored_(a.name + std::string(kSortedColumns)) &&
           is_stored_(a.name + std::string(kColumnOrder));
  }

  NodeId copy(const Node& node) {
    if (node.op == Op::Weight)
      return to_.weight(node.as<WeightAttributes>(), from_.shape(static_cast<NodeId>(new_.size())));
    if (node.op == Op::Input) return to_.input(node.as<InputAttributes>().kind);
    std::vector<NodeId> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(value(input));
    if (node.op == Op::Matmul && is_sorted(from_.node(node.inputs[1]))) use_sorted(node.inputs[1], inputs);
    return to_.add(node.op, std::move(inputs), node.attributes, node.name);
  }

  // Puts the sorted weight and the activations' columns in its order in place of a product's operands.
  void use_sorted(NodeId weight, std::vector<NodeId>& operands) {
    WeightAttributes attributes = from_.node(weight).as<WeightAttributes>();
    const Shape shape = from_.shape(weight);
    const NodeId order = to_.weight({attributes.name + std::string(kColumnOrder)}, {shape.back()});
    NodeId& sorted = gathered_.try_emplace({operands[0], order}, -1).first->second;
    if (sorted < 0) sorted = to_.add(Op::GatherColumns, {operands[0], order});
    attributes.sorted_columns = true;
    operands = {sorted, to_.weight(attributes, shape)};
  }

  const Graph& from_;
  const std::function<bool(const std::string&)>& is_stored_;
  Graph to_;
  std::vector<NodeId> new_;                               // by old node
  std::map<std::pair<NodeId, NodeId>, NodeId> gathered_;  // by activations and order
};

}  // namespace

Graph sort_columns(const Graph& graph, const std::function<bool(const std::string&)>& is_stored) {
  Graph sorted = ColumnSorter(graph, is_stored).run();
  verify(sorted);
  return sorted;
}

}  // namespace cleave::graph
