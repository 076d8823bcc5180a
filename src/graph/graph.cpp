#include "graph/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"

namespace cleave::graph {

Graph::Graph(std::string name)
    : name_(std::move(name)),
      tokens_(dims_.atom(kDynamic, "tokens")),
      output_rows_(dims_.atom(kDynamic, "rows")),
      routed_(dims_.atom(kDynamic, "routed")) {}

NodeId Graph::append(Node node) {
  nodes_.push_back(std::move(node));
  return static_cast<NodeId>(nodes_.size()) - 1;
}

NodeId Graph::add(Op op, std::vector<NodeId> inputs, Attributes attributes, std::string name) {
  ResultType type = infer(op, inputs, attributes, *this);
  return append({op, std::move(attributes), std::move(inputs), std::move(type.dims), type.element, std::move(name)});
}

NodeId Graph::input(InputKind kind) {
  NodeId& id = inputs_[static_cast<size_t>(kind)];
  if (id < 0) id = add(Op::Input, {}, InputAttributes{kind});
  return id;
}

NodeId Graph::weight(const WeightAttributes& attributes, const Shape& shape) {
  if (const auto found = weights_.find(attributes.name); found != weights_.end()) {
    CHECK(this->shape(found->second) == shape);
    return found->second;
  }
  Node node{Op::Weight, attributes, {}, {}, Element::Real, attributes.name};
  for (const int64_t extent : shape) node.dims.push_back(dims_.atom(extent));
  return weights_[attributes.name] = append(std::move(node));
}

Shape Graph::shape(NodeId id) const {
  Shape shape;
  for (const DimId dim : node(id).dims) shape.push_back(dims_.extent(dim));
  return shape;
}

std::string Graph::shape_text(NodeId id) const {
  std::vector<std::string> dims;
  for (const DimId dim : node(id).dims) dims.push_back(dims_.text(dim));
  return fmt::format("[{}]", fmt::join(dims, ", "));
}

const Graph& Model::graph(std::string_view name) const {
  std::vector<std::string> names;
  for (const Graph& graph : graphs) {
    if (graph.name() == name) return graph;
    names.push_back(graph.name());
  }
  fail(ErrorKind::NotFound, "{} has no graph '{}', but {}", architecture, name, fmt::join(names, ", "));
}

bool values_in_keys(const Graph& graph, NodeId attention) {
  const std::vector<NodeId>& inputs = graph.node(attention).inputs;
  const Node& keys = graph.node(inputs[1]);
  return keys.op == Op::Concat && keys.as<ConcatAttributes>().dim == 2 && keys.inputs[0] == inputs[2];
}

std::string text(const Graph& graph) {
  std::string out = fmt::format("graph {}\n", graph.name());
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const auto id = static_cast<NodeId>(i);
    std::string arguments;
    for (const NodeId input : node.inputs) arguments += fmt::format("{}%{}", arguments.empty() ? "" : ", ", input);
    const std::string attributes = attributes_text(node.attributes);
    out += fmt::format("%{} = {}({}){}{} : {}", id, op_info(node.op).name, arguments, attributes.empty() ? "" : " ",
                       attributes, graph.shape_text(id));
    if (!node.name.empty() && node.op != Op::Weight) out += fmt::format("  # {}", node.name);
    out += '\n';
  }
  for (const NodeId output : graph.outputs()) out += fmt::format("output %{}\n", output);
  return out;
}

}  // namespace cleave::graph
