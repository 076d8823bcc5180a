#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/check.h"
#include "lower/program.h"

namespace cleave::lower {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;

/// Nodes that the output needs.
std::vector<bool> reachable(const Graph& graph, NodeId output) {
  std::vector<bool> needed(graph.nodes().size(), false);
  needed[static_cast<size_t>(output)] = true;
  for (size_t i = needed.size(); i-- > 0;)
    if (needed[i])
      for (const NodeId input : graph.nodes()[i].inputs) needed[static_cast<size_t>(input)] = true;
  return needed;
}

/// Matmuls from whose results a top_k chooses, directly or through operations on single elements or rows.
std::vector<bool> deciding_matmuls(const Graph& graph) {
  constexpr std::array kPassed = {Op::Softmax, Op::Unary, Op::Add,     Op::Mul,   Op::Div,  Op::Scale,
                                  Op::Sum,     Op::Slice, Op::Reshape, Op::Shift, Op::Clamp};
  std::vector<bool> deciding(graph.nodes().size(), false);
  for (size_t i = deciding.size(); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    const bool passes = deciding[i] && std::ranges::count(kPassed, node.op) > 0;
    if (node.op == Op::TopK || passes) {
      for (const NodeId input : node.inputs) deciding[static_cast<size_t>(input)] = true;
    }
  }
  return deciding;
}

class Lowering {
 public:
  Lowering(const Graph& graph, const Limits& limits) : graph_(graph) {
    program_.limits = limits;
    operands_.resize(graph.nodes().size());
    views_.resize(graph.nodes().size());
    routing_of_node_.resize(graph.nodes().size(), -1);
    deciding_ = deciding_matmuls(graph);
  }

  Program run() {
    CHECK_EQ(graph_.outputs().size(), size_t{1});
    const NodeId output = graph_.outputs()[0];
    const std::vector<bool> needed = reachable(graph_, output);
    for (size_t i = 0; i < needed.size(); ++i)
      if (needed[i]) lower_node(static_cast<NodeId>(i));
    program_.output = operand(output);
    program_.output_width = num_elements(row_shape(output));
    if (program_.output.kind != Operand::Kind::Value)
      fail(ErrorKind::Unsupported, "graph {} computes nothing", graph_.name());
    place_values(program_);
    return std::move(program_);
  }

 private:
  const Node& node(NodeId id) const { return graph_.node(id); }
  bool is_parameter(NodeId id) const { return views_[static_cast<size_t>(id)].has_value(); }
  const WeightView& view(NodeId id) const { return *views_[static_cast<size_t>(id)]; }
  Operand operand(NodeId id) const { return operands_[static_cast<size_t>(id)]; }
  int32_t& routing_of(NodeId id) { return routing_of_node_[static_cast<size_t>(id)]; }

  bool is_routed(NodeId id) const {
    const auto& dims = node(id).dims;
    return dims.size() >= 2 && graph_.dims().same(dims[1], graph_.routed());
  }

  // The shape of one row of an activation.
  Shape row_shape(NodeId id) const {
    Shape shape = graph_.shape(id);
    if (is_parameter(id)) return shape;
    return Shape(shape.begin() + (is_routed(id) ? 2 : 1), shape.end());
  }

  void lower_node(NodeId id) {
    const Node& n = node(id);
    if (n.op == Op::Input) return lower_input(id);
    if (n.op == Op::Weight || std::ranges::all_of(n.inputs, [&](NodeId input) { return is_parameter(input); })) {
      std::vector<const WeightView*> inputs;
      for (const NodeId input : n.inputs) inputs.push_back(&view(input));
      views_[static_cast<size_t>(id)] = view_of(graph_, id, inputs);
      return;
    }
    inherit_routing(id);
    if (n.op == Op::Reshape)
      operands_[static_cast<size_t>(id)] = operand(n.inputs[0]);  // rows are compact: nothing moves
    else
      emit(id);
    if (n.op == Op::Combine) routing_of(id) = -1;  // rows of tokens again
  }

  void lower_input(NodeId id) {
    constexpr Operand::Kind kKinds[] = {Operand::Kind::TokenIds, Operand::Kind::Positions, Operand::Kind::OutputRows};
    operands_[static_cast<size_t>(id)] = {kKinds[static_cast<size_t>(node(id).as<graph::InputAttributes>().kind)], -1};
  }

  void inherit_routing(NodeId id) {
    for (const NodeId input : node(id).inputs) {
      const int32_t routing = routing_of(input);
      if (routing < 0) continue;
      if (routing_of(id) >= 0 && routing_of(id) != routing)
        fail(ErrorKind::Unsupported, "{} combines tokens of two different expert choices",
             graph::op_info(node(id).op).name);
      routing_of(id) = routing;
    }
    if (node(id).op == Op::Dispatch) routing_of(id) = add_routing(id);
  }

  int32_t add_value(Rows rows, int64_t slots, int64_t width) {
    program_.values.push_back({rows, slots, width, -1});
    return static_cast<int32_t>(program_.values.size()) - 1;
  }

  int32_t add_routing(NodeId id) {
    const int64_t slots = row_shape(node(id).inputs[1])[0];
    const int64_t experts = node(id).as<graph::DispatchAttributes>().num_experts;
    Routing routing{operand(node(id).inputs[1]), slots, experts, -1, -1, -1};
    routing.offsets = add_value(Rows::Fixed, 1, experts + 1);
    routing.order = add_value(Rows::Routed, slots, 1);
    routing.position = add_value(Rows::Routed, slots, 1);
    program_.routings.push_back(routing);
    return static_cast<int32_t>(program_.routings.size()) - 1;
  }

  int32_t output_value(NodeId id) {
    const int64_t width = num_elements(row_shape(id));
    if (is_routed(id))
      return add_value(Rows::Routed, program_.routings[static_cast<size_t>(routing_of(id))].slots, width);
    const graph::DimId first = node(id).dims.at(0);
    if (graph_.dims().same(first, graph_.tokens())) return add_value(Rows::Tokens, 1, width);
    if (graph_.dims().same(first, graph_.output_rows())) return add_value(Rows::OutputRows, 1, width);
    fail(ErrorKind::Unsupported, "{} gives {}: an activation starts with tokens, output rows or experts",
         graph::op_info(node(id).op).name, graph_.shape_text(id));
  }

  static constexpr int64_t kWide = -2;  // minus its size: in place of an expert for repeated weights

  int32_t parameter(const WeightView& weights, NodeId id, Parameter::Use use, int64_t expert = -1) {
    const auto key = std::make_tuple(id, use, expert);
    if (const auto found = parameters_.find(key); found != parameters_.end()) return found->second;
    const std::string name = weights.pieces.empty() ? node(id).name : weights.pieces[0].tensor;
    program_.parameters.push_back({use, name, weights, false});
    return parameters_[key] = static_cast<int32_t>(program_.parameters.size()) - 1;
  }

  Operand input_operand(const Node& n, size_t i) {
    const NodeId input = n.inputs[i];
    if (!is_parameter(input)) return operand(input);
    const bool second = i == 1;
    const Parameter::Use use = n.op == Op::Matmul && second      ? Parameter::Use::Matrix
                               : n.op == Op::Embedding && second ? Parameter::Use::Table
                                                                 : Parameter::Use::Vector;
    if (is_elementwise(n) && second && !is_routed(n.inputs[0]) && !is_suffix(row_shape(n.inputs[0]), row_shape(input)))
      if (const std::optional<WeightView> wide = repeated(view(input), row_shape(n.inputs[0])))
        return {Operand::Kind::Parameter, parameter(*wide, input, use, kWide - num_elements(wide->shape))};
    return {Operand::Kind::Parameter, parameter(view(input), input, use)};
  }

  static bool is_elementwise(const Node& n) { return n.op == Op::Add || n.op == Op::Mul || n.op == Op::Div; }

  // Whether rows of shape `a` are made of whole repetitions of a weight of shape `b`.
  static bool is_suffix(const Shape& a, const Shape& b) {
    const int64_t count_b = num_elements(b);
    bool suffix = count_b <= num_elements(a) && b.size() <= a.size() + 1;
    for (size_t i = 1; suffix && i <= b.size(); ++i)
      suffix =
          b[b.size() - i] == 1 ? count_b == 1 || i > a.size() : i <= a.size() && b[b.size() - i] == a[a.size() - i];
    return suffix;
  }

  void emit(NodeId id) {
    const Node& n = node(id);
    Instruction instruction{n.op, n.attributes, n.name, {}, {}, -1, row_shape(id), {}, routing_of(id), -1, {}};
    const bool batched = (n.op == Op::Matmul && node(n.inputs[1]).dims.size() == 3) || n.op == Op::BlockMatmul;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (batched && i == 1) break;
      instruction.inputs.push_back(input_operand(n, i));
      instruction.input_shapes.push_back(row_shape(n.inputs[i]));
    }
    if ((n.op == Op::Matmul || n.op == Op::BlockMatmul) && !is_parameter(n.inputs[1]))
      fail(ErrorKind::Unsupported, "matmul {}: the second operand must be a weight", n.name);
    if (batched) add_expert_matrices(n, instruction);
    if (n.op == Op::Matmul && !batched && deciding_[static_cast<size_t>(id)])
      program_.parameters[static_cast<size_t>(instruction.inputs[1].index)].decides = true;
    if (is_elementwise(n)) instruction.broadcast = broadcast_of(n);
    if (n.op == Op::Rope) instruction.rope = add_rope(n.as<graph::RopeAttributes>());
    if (n.op == Op::Attention) add_kv_layer(n);
    add_state(n);
    instruction.output = output_value(id);
    operands_[static_cast<size_t>(id)] = {Operand::Kind::Value, instruction.output};
    program_.instructions.push_back(std::move(instruction));
  }

  void add_expert_matrices(const Node& n, Instruction& instruction) {
    const NodeId weights = n.inputs[1];
    for (int64_t expert = 0; expert < graph_.shape(weights)[0]; ++expert)
      instruction.expert_matrices.push_back(
          parameter(outermost(view(weights), expert), weights, Parameter::Use::Matrix, expert));
  }

  Broadcast broadcast_of(const Node& n) const {
    const Shape a = row_shape(n.inputs[0]), b = row_shape(n.inputs[1]);
    const int64_t count_a = num_elements(a), count_b = num_elements(b);
    const bool routed = is_routed(n.inputs[0]);
    if (is_parameter(n.inputs[1])) {
      if (routed && b.size() == 3 && b[0] > 1) return {Broadcast::Kind::ExpertRow, count_a};
      if (is_suffix(a, b)) return {Broadcast::Kind::Row, count_b};
      if (const auto wide = repeated(view(n.inputs[1]), a); wide && !routed)
        return {Broadcast::Kind::Row, num_elements(wide->shape)};
    } else {
      if (is_routed(n.inputs[1]) != routed)
        fail(ErrorKind::Unsupported, "{} of {} and {}", graph::op_info(n.op).name, graph_.shape_text(n.inputs[0]),
             graph_.shape_text(n.inputs[1]));
      if (a == b) return {Broadcast::Kind::None, count_a};
      if (a.size() == b.size() && b.back() == 1 && std::equal(a.begin(), a.end() - 1, b.begin()))
        return {Broadcast::Kind::Column, a.back()};
      if (count_b == 1) return {Broadcast::Kind::Column, count_a};
    }
    fail(ErrorKind::Unsupported, "{} cannot repeat {} over {}", graph::op_info(n.op).name,
         graph_.shape_text(n.inputs[1]), graph_.shape_text(n.inputs[0]));
  }

  static bool same_rope(const graph::RopeAttributes& a, const graph::RopeAttributes& b) {
    return a.inverse_frequencies == b.inverse_frequencies && a.long_inverse_frequencies == b.long_inverse_frequencies &&
           a.attention_scale == b.attention_scale && a.length_rule == b.length_rule &&
           a.original_length == b.original_length && a.base == b.base && a.factor == b.factor;
  }

  int32_t add_rope(const graph::RopeAttributes& rope) {
    auto& ropes = program_.ropes;
    const auto found = std::ranges::find_if(ropes, [&](const graph::RopeAttributes& r) { return same_rope(r, rope); });
    if (found != ropes.end()) return static_cast<int32_t>(found - ropes.begin());
    ropes.push_back(rope);
    return static_cast<int32_t>(ropes.size()) - 1;
  }

  void add_kv_layer(const Node& n) {
    const auto layer = static_cast<size_t>(n.as<graph::AttentionAttributes>().layer);
    if (program_.kv_layers.size() <= layer) program_.kv_layers.resize(layer + 1);
    const Shape k = row_shape(n.inputs[1]), v = row_shape(n.inputs[2]);
    program_.kv_layers[layer] = {k[0], k[1], v[1]};
  }

  // What the node keeps of each sequence, if anything.
  void add_state(const Node& n) {
    if (n.op == Op::CausalConv) {
      const Shape w = row_shape(n.inputs[1]);
      set_state(n.as<graph::StateAttributes>().state, w[0] * (w[1] - 1));
    } else if (n.op == Op::LinearAttention) {
      const Shape k = row_shape(n.inputs[1]), v = row_shape(n.inputs[2]);
      set_state(n.as<graph::LinearAttentionAttributes>().state, v[0] * k[1] * v[1]);
    } else if (n.op == Op::LinearRecurrence) {
      set_state(n.as<graph::StateAttributes>().state, row_shape(n.inputs[0])[0]);
    }
  }

  void set_state(int state, int64_t numbers) {
    if (program_.states.size() <= static_cast<size_t>(state)) program_.states.resize(static_cast<size_t>(state) + 1);
    program_.states[static_cast<size_t>(state)] = numbers;
  }

  const Graph& graph_;
  Program program_;
  std::vector<Operand> operands_;                 // by node; activations
  std::vector<std::optional<WeightView>> views_;  // by node; what depends on weights alone
  std::vector<int32_t> routing_of_node_;
  std::vector<bool> deciding_;  // by node
  std::map<std::tuple<NodeId, Parameter::Use, int64_t>, int32_t> parameters_;
};

}  // namespace

int64_t num_rows(const Value& value, int64_t tokens, int64_t output_rows) {
  switch (value.rows) {
    case Rows::Tokens:
      return tokens;
    case Rows::OutputRows:
      return output_rows;
    case Rows::Routed:
      return tokens * value.slots;
    case Rows::Fixed:
      return 1;
  }
  return 0;
}

Program lower(const Graph& graph, const Limits& limits) {
  graph::verify(graph);
  return Lowering(graph, limits).run();
}

}  // namespace cleave::lower
