#include "graph/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/check.h"

namespace cleave::graph {
namespace {

std::vector<std::string> names_of(const std::vector<Output>& outputs) {
  std::vector<std::string> names;
  for (const Output& output : outputs) names.push_back(output.name);
  return names;
}

std::string text_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::string arguments;
  for (const NodeId input : node.inputs) arguments += fmt::format("{}%{}", arguments.empty() ? "" : ", ", input);
  const std::string attributes = attributes_text(node.attributes);
  std::string line = fmt::format("%{} = {}({}){}{} : {}", id, op_info(node.op).name, arguments,
                                 attributes.empty() ? "" : " ", attributes, graph.shape_text(id));
  if (!node.name.empty() && node.op != Op::Weight) line += fmt::format("  # {}", node.name);
  return line + '\n';
}

std::string text(const Graph& graph, const std::vector<Output>& outputs, const std::vector<bool>& shown) {
  std::string out = fmt::format("graph {}\n", fmt::join(names_of(outputs), ", "));
  for (size_t i = 0; i < shown.size(); ++i)
    if (shown[i]) out += text_of(graph, static_cast<NodeId>(i));
  for (const Output& output : outputs) out += fmt::format("output %{}\n", output.node);
  return out;
}

}  // namespace

Graph::Graph()
    : tokens_(dims_.atom(kDynamic, "tokens")),
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
  NodeId& known = weights_.try_emplace({attributes.name, attributes.sorted_columns}, -1).first->second;
  if (known >= 0) {
    CHECK(this->shape(known) == shape);
    return known;
  }
  Node node{Op::Weight, attributes, {}, {}, Element::Real, attributes.name};
  for (const int64_t extent : shape) node.dims.push_back(dims_.atom(extent));
  return known = append(std::move(node));
}

Shape Graph::shape(NodeId id) const {
  Shape shape;
  for (const DimId dim : node(id).dims) shape.push_back(dims_.extent(dim));
  return shape;
}

NodeId Graph::output(std::string_view name) const {
  const auto found = std::ranges::find(outputs_, name, &Output::name);
  if (found == outputs_.end())
    fail(ErrorKind::NotFound, "the model has no output '{}', but {}", name, fmt::join(names_of(outputs_), ", "));
  return found->node;
}

std::string Graph::shape_text(NodeId id) const {
  std::vector<std::string> dims;
  for (const DimId dim : node(id).dims) dims.push_back(dims_.text(dim));
  return fmt::format("[{}]", fmt::join(dims, ", "));
}

std::vector<NodeId> kept_by(const Graph& graph, const Output& output) {
  std::vector<NodeId> kept;
  if (output.name != "encode") return kept;
  for (size_t i = 0; i < graph.nodes().size(); ++i)
    if (is_cross_attention(graph.nodes()[i])) kept.push_back(static_cast<NodeId>(i));
  return kept;
}

bool is_cross_attention(const Node& node) {
  return node.op == Op::Attention && node.as<AttentionAttributes>().cross;
}

std::vector<bool> needed_for(const Graph& graph, const Output& output) {
  std::vector<bool> needed(graph.nodes().size(), false);
  const auto need = [&](NodeId id) { needed[static_cast<size_t>(id)] = true; };
  need(output.node);
  for (const NodeId attention : kept_by(graph, output))
    for (const size_t operand : {1, 2}) need(graph.node(attention).inputs[operand]);
  for (size_t i = needed.size(); i-- > 0;) {
    if (!needed[i]) continue;
    const Node& node = graph.nodes()[i];
    for (size_t operand = 0; operand < node.inputs.size(); ++operand)
      if (!is_cross_attention(node) || operand == 0) need(node.inputs[operand]);
  }
  return needed;
}

bool values_in_keys(const Graph& graph, NodeId attention) {
  const std::vector<NodeId>& inputs = graph.node(attention).inputs;
  const Node& keys = graph.node(inputs[1]);
  return keys.op == Op::Concat && keys.as<ConcatAttributes>().dim == 2 && keys.inputs[0] == inputs[2];
}

std::string text(const Graph& graph) {
  return text(graph, graph.outputs(), std::vector<bool>(graph.nodes().size(), true));
}

std::string text(const Graph& graph, std::string_view output) {
  const Output wanted{std::string(output), graph.output(output)};
  return text(graph, {wanted}, needed_for(graph, wanted));
}

}  // namespace cleave::graph
