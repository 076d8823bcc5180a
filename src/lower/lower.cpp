#include "lower/lower.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/check.h"
#include "graph/head.h"
#include "lower/parameter_table.h"
#include "lower/part.h"
#include "lower/passes.h"

namespace cleave::lower {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;

/// Matmuls from whose results a top_k chooses, directly or through operations on single elements or rows.
std::vector<bool> deciding_matmuls(const Graph& graph) {
  std::vector<bool> deciding(graph.nodes().size(), false);
  for (size_t i = deciding.size(); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    const bool passes = deciding[i] && graph::op_info(node.op).passes_choice;
    if (node.op == Op::TopK || passes) {
      for (const NodeId input : node.inputs) deciding[static_cast<size_t>(input)] = true;
    }
  }
  return deciding;
}

/// The forms in which a value is there: as its node leaves it (summed where the plan wants that), whole, or narrowed to
/// the rank's range of an axis.
struct Forms {
  Operand own;
  Operand whole;  // where it is gathered
  std::map<plan::AxisId, Operand> narrowed;
};

class Lowering {
 public:
  Lowering(const Graph& graph, const plan::Plan& plan, int rank)
      : graph_(graph), plan_(plan), part_(graph, plan, rank) {
    views_.resize(graph.nodes().size());
    deciding_ = deciding_matmuls(graph);
    head_ = graph::find_head(graph);
    users_.resize(graph.nodes().size());
    for (size_t i = 0; i < users_.size(); ++i)
      for (const NodeId input : graph.nodes()[i].inputs) users_[index(input)].push_back(static_cast<NodeId>(i));
  }

  RankPrograms run(const Limits& limits) {
    for (const graph::Output& output : graph_.outputs()) all_.programs.push_back(run(output, limits));
    all_.parameters = parameters_.take();
    return std::move(all_);
  }

 private:
  Program run(const graph::Output& output, const Limits& limits) {
    program_ = {};
    program_.output_name = output.name;
    program_.limits = limits;
    forms_.assign(graph_.nodes().size(), {});
    routing_of_node_.assign(graph_.nodes().size(), -1);
    reached_.assign(graph_.nodes().size(), false);
    output_ = output.node;
    needed_ = graph::needed_for(graph_, output.node);
    for (size_t i = 0; i < needed_.size(); ++i)
      if (needed_[i]) reach(static_cast<NodeId>(i));
    if (is_parameter(output.node) || operand(output.node, plan::kNoAxis).kind != Operand::Kind::Value)
      fail(ErrorKind::Unsupported, "output {} computes nothing", output.name);
    program_.output = operand(output.node, plan::kNoAxis);
    program_.output_width = num_elements(row_shape(output.node, plan::kNoAxis));
    fuse(program_, parameters_, all_.kv_layers);
    place_values(program_);
    return std::move(program_);
  }

  static size_t index(NodeId id) { return static_cast<size_t>(id); }
  const Node& node(NodeId id) const { return graph_.node(id); }
  bool is_parameter(NodeId id) const { return views_[index(id)].has_value(); }
  const WeightView& view(NodeId id) const { return *views_[index(id)]; }
  plan::AxisId strategy(NodeId id) const { return plan_.placed.strategy[index(id)]; }
  int32_t& routing_of(NodeId id) { return routing_of_node_[index(id)]; }

  // By what an input of `user` is split when it works: by the axis of the work where the input has that axis.
  plan::AxisId input_axis(NodeId user, NodeId input) const {
    const plan::AxisId axis = strategy(user);
    if (axis == plan::kNoAxis) return axis;
    for (const graph::DimId dim : node(input).dims)
      if (std::ranges::count(plan_.axes.in_dim(graph_.dims(), dim), axis) > 0) return axis;
    return plan::kNoAxis;
  }

  // The value of `id`, split by `axis` or whole; a sum that is still owed as it is.
  Operand operand(NodeId id, plan::AxisId axis) {
    Forms& forms = forms_[index(id)];
    const plan::Placement available = plan_.placed.available(id);
    if (available.partial || available.axis == axis) return forms.own;
    const Operand whole = available.axis == plan::kNoAxis ? forms.own : forms.whole;
    if (axis == plan::kNoAxis) return whole;
    if (part_.has_nothing(id, axis)) return {Operand::Kind::Nothing, -1};
    const auto [found, fresh] = forms.narrowed.emplace(axis, Operand{});
    if (fresh) found->second = emit_narrow(id, whole, axis);
    return found->second;
  }

  bool is_routed(NodeId id) const {
    const auto& dims = node(id).dims;
    return dims.size() >= 2 && graph_.dims().same(dims[1], graph_.routed());
  }
  // Dimensions that are no part of a row.
  size_t leading(NodeId id) const { return is_parameter(id) ? 0 : is_routed(id) ? 2 : 1; }

  // The shape of one row of an activation, or of a parameter, where it is split by `axis`.
  Shape row_shape(NodeId id, plan::AxisId axis) const {
    const Shape shape = part_.shape(id, axis);
    return {shape.begin() + static_cast<long>(leading(id)), shape.end()};
  }

  // Lowers a node once, behind its operands: a sum that is taken with an earlier one needs its own before its turn.
  void reach(NodeId id) {
    if (reached_[index(id)]) return;
    reached_[index(id)] = true;
    for (const NodeId input : node(id).inputs) reach(input);
    lower_node(id);
  }

  void lower_node(NodeId id) {
    const Node& n = node(id);
    if (n.op == Op::Input) return lower_input(id);
    if (n.op == Op::Weight || std::ranges::all_of(n.inputs, [&](NodeId input) { return is_parameter(input); })) {
      std::vector<const WeightView*> inputs;
      for (const NodeId input : n.inputs) inputs.push_back(&view(input));
      if (!views_[index(id)]) views_[index(id)] = view_of(graph_, id, inputs);
      return;
    }
    inherit_routing(id);
    reserve_state(n);
    forms_[index(id)].own = compute(id);
    exchange(id);
    if (n.op == Op::Combine) routing_of(id) = -1;  // rows of tokens again
  }

  void lower_input(NodeId id) {
    constexpr Operand::Kind kKinds[] = {Operand::Kind::TokenIds, Operand::Kind::Positions, Operand::Kind::OutputRows};
    forms_[index(id)].own = {kKinds[static_cast<size_t>(node(id).as<graph::InputAttributes>().kind)], -1};
  }

  // The node's own part of the work.
  Operand compute(NodeId id) {
    const Node& n = node(id);
    if (n.op == Op::Reshape)
      return operand(n.inputs[0], input_axis(id, n.inputs[0]));  // rows are compact: nothing moves
    const plan::Placement result = plan_.placed.result[index(id)];
    if (result.partial && part_.is_empty(strategy(id))) return emit_zero(id);
    if (part_.has_nothing(id, result.axis) && !is_distributed_norm(id)) return {Operand::Kind::Nothing, -1};
    if (const std::optional<Operand> other = only_partial_operand(id)) return *other;
    return emit(id);
  }

  // What is added to a sum that is still owed is added by rank 0 alone; for the others the sum stays what it is.
  std::optional<Operand> only_partial_operand(NodeId id) {
    const Node& n = node(id);
    if (n.op != Op::Add || part_.rank() == 0 || strategy(id) != plan::kNoAxis) return std::nullopt;
    const auto is_partial = [&](NodeId input) { return !is_parameter(input) && plan_.placed.available(input).partial; };
    if (is_partial(n.inputs[0]) == is_partial(n.inputs[1])) return std::nullopt;
    return operand(n.inputs[is_partial(n.inputs[0]) ? 0 : 1], plan::kNoAxis);
  }

  bool is_distributed_norm(NodeId id) const {
    if (node(id).op != Op::RmsNorm && node(id).op != Op::LayerNorm) return false;
    const auto in_last = plan_.axes.in_dim(graph_.dims(), node(id).dims.back());
    return strategy(id) != plan::kNoAxis && std::ranges::count(in_last, strategy(id)) > 0;
  }

  // What the plan wants behind the node: its sum taken, or its parts gathered.
  void exchange(NodeId id) {
    if (plan_.ranks == 1) return;
    if (plan_.placed.reduced[index(id)])
      reduce(id);
    else if (plan_.placed.gathered[index(id)])
      gather(id);
  }

  void reduce(NodeId id) {
    const int32_t joint = plan_.placed.joint_of[index(id)];
    std::vector<NodeId> nodes = joint < 0 ? std::vector{id} : plan_.placed.joint[static_cast<size_t>(joint)];
    std::erase_if(nodes, [&](NodeId node) { return !needed_[index(node)]; });
    if (nodes.size() == 1)
      forms_[index(id)].own = emit_exchange(id, Action::AllReduce, forms_[index(id)].own, plan::kNoAxis);
    else if (id == nodes.front())
      sum_jointly(nodes);
  }

  // The plan is about all outputs; this one may want parts alone.
  void gather(NodeId id) {
    Forms& forms = forms_[index(id)];
    const auto wants_whole = [&](NodeId user) { return input_axis(user, id) != strategy(id); };
    const std::vector<NodeId> users = users_of(id);
    if (id != output_ && std::ranges::none_of(users, wants_whole)) return;
    const bool for_rank_0 = id == output_ && users.empty();
    forms.whole = emit_exchange(id, for_rank_0 ? Action::Gather : Action::AllGather, forms.own, strategy(id));
  }

  // One exchange for all of them where the first is computed.
  void sum_jointly(const std::vector<NodeId>& nodes) {
    for (const NodeId id : nodes) reach(id);
    Instruction sum = instruction_for(nodes.front(), Action::AllReduce, plan::kNoAxis);
    sum.output_shape = {0};
    for (const NodeId id : nodes) {
      sum.inputs.push_back(forms_[index(id)].own);
      sum.input_shapes.push_back(row_shape(id, plan::kNoAxis));
      sum.output_shape[0] += num_elements(sum.input_shapes.back());
    }
    const Shape whole = sum.output_shape;
    const Operand all = finish(nodes.front(), std::move(sum));
    int64_t before = 0;
    for (const NodeId id : nodes) {
      Instruction part = instruction_for(id, Action::Extract, plan::kNoAxis);
      part.inputs = {all};
      part.input_shapes = {whole};
      part.first = before;
      before += num_elements(part.output_shape);
      forms_[index(id)].own = finish(id, std::move(part));
    }
  }

  // Those that this output needs.
  std::vector<NodeId> users_of(NodeId id) const {
    std::vector<NodeId> users = users_[index(id)];
    std::erase_if(users, [&](NodeId user) { return !needed_[index(user)]; });
    return users;
  }

  Instruction instruction_for(NodeId id, Action action, plan::AxisId output_axis) {
    const Node& n = node(id);
    Instruction instruction{n.op, n.attributes,   n.name, {}, {}, -1, row_shape(id, output_axis),
                            {},   routing_of(id), -1,     {}};
    instruction.action = action;
    instruction.node = id;
    return instruction;
  }

  Operand finish(NodeId id, Instruction instruction) {
    instruction.output = output_value(id, instruction.output_shape);
    program_.instructions.push_back(std::move(instruction));
    return {Operand::Kind::Value, program_.instructions.back().output};
  }

  Operand emit_zero(NodeId id) { return finish(id, instruction_for(id, Action::Zero, plan::kNoAxis)); }

  Operand emit_narrow(NodeId id, Operand whole, plan::AxisId axis) {
    Instruction instruction = instruction_for(id, Action::Narrow, axis);
    instruction.inputs = {whole};
    instruction.input_shapes = {row_shape(id, plan::kNoAxis)};
    instruction.shares = part_.shares(id, axis, leading(id));
    return finish(id, std::move(instruction));
  }

  Operand emit_exchange(NodeId id, Action action, Operand own, plan::AxisId axis) {
    Instruction instruction = instruction_for(id, action, plan::kNoAxis);
    instruction.inputs = {own};
    instruction.input_shapes = {row_shape(id, axis)};
    if (action != Action::AllReduce) instruction.shares = part_.shares(id, axis, leading(id));
    return finish(id, std::move(instruction));
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
    if (node(id).op == Op::Dispatch && !part_.is_empty(strategy(id))) routing_of(id) = add_routing(id);
  }

  int32_t add_value(Rows rows, int64_t slots, int64_t width) {
    program_.values.push_back({rows, slots, width, -1});
    return static_cast<int32_t>(program_.values.size()) - 1;
  }

  int32_t add_routing(NodeId id) {
    const NodeId chosen = node(id).inputs[1];
    const plan::Interval experts = part_.indices(node(id).dims[0], strategy(id)).at(0);
    Routing routing;
    routing.chosen = operand(chosen, plan::kNoAxis);
    routing.slots = row_shape(chosen, plan::kNoAxis)[0];
    routing.first_expert = experts.begin;
    routing.experts = experts.size();
    routing.offsets = add_value(Rows::Fixed, 1, routing.experts + 1);
    routing.order = add_value(Rows::Routed, routing.slots, 1);
    routing.position = add_value(Rows::Routed, routing.slots, 1);
    program_.routings.push_back(routing);
    return static_cast<int32_t>(program_.routings.size()) - 1;
  }

  int32_t output_value(NodeId id, const Shape& row) {
    const int64_t width = num_elements(row);
    if (is_routed(id))
      return add_value(Rows::Routed, program_.routings[static_cast<size_t>(routing_of(id))].slots, width);
    const graph::DimId first = node(id).dims.at(0);
    if (graph_.dims().same(first, graph_.tokens())) return add_value(Rows::Tokens, 1, width);
    if (graph_.dims().same(first, graph_.output_rows())) return add_value(Rows::OutputRows, 1, width);
    fail(ErrorKind::Unsupported, "{} gives {}: an activation starts with tokens, output rows or experts",
         graph::op_info(node(id).op).name, graph_.shape_text(id));
  }

  int32_t parameter(const WeightView& weights, NodeId id, graph::WeightUse use, bool expert = false) {
    Parameter parameter{use, weights.pieces.empty() ? node(id).name : weights.pieces[0].tensor, weights};
    parameter.expert = expert;
    return parameters_.add(std::move(parameter));
  }

  Operand input_operand(NodeId user, size_t i) {
    const Node& n = node(user);
    const NodeId input = n.inputs[i];
    const plan::AxisId axis = input_axis(user, input);
    if (!is_parameter(input)) return operand(input, axis);
    const bool second = i == 1;
    const graph::WeightUse use = graph::weight_use(n.op, i);
    const WeightView mine = part_.view(view(input), input, axis);
    if (is_elementwise(n) && second && !is_routed(n.inputs[0])) {
      const Shape row = row_shape(n.inputs[0], input_axis(user, n.inputs[0]));
      if (!is_suffix(row, mine.shape))
        if (const std::optional<WeightView> wide = repeated(mine, row))
          return {Operand::Kind::Parameter, parameter(*wide, input, use)};
    }
    return {Operand::Kind::Parameter, parameter(mine, input, use)};
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

  Operand emit(NodeId id) {
    const Node& n = node(id);
    Instruction instruction = instruction_for(id, Action::Compute, plan_.placed.result[index(id)].axis);
    const bool batched = (n.op == Op::Matmul && node(n.inputs[1]).dims.size() == 3) || n.op == Op::BlockMatmul;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (batched && i == 1) break;
      instruction.inputs.push_back(input_operand(id, i));
      instruction.input_shapes.push_back(row_shape(n.inputs[i], input_axis(id, n.inputs[i])));
    }
    if ((n.op == Op::Matmul || n.op == Op::BlockMatmul) && !is_parameter(n.inputs[1]))
      fail(ErrorKind::Unsupported, "matmul {}: the second operand must be a weight", n.name);
    if (batched) add_expert_matrices(id, instruction);
    if (n.op == Op::Matmul && !batched && deciding_[index(id)]) parameters_[instruction.inputs[1].index].decides = true;
    if (n.op == Op::Matmul && !batched && n.inputs[1] == head_) parameters_[instruction.inputs[1].index].head = true;
    if (is_elementwise(n))
      instruction.broadcast = broadcast_of(n, instruction.input_shapes[0], instruction.input_shapes[1]);
    if (n.op == Op::Rope) instruction.rope = add_rope(n.as<graph::RopeAttributes>());
    if (n.op == Op::Attention) localize_attention(id, instruction);
    if (n.op == Op::LinearAttention) localize_groups(id, instruction, n.inputs[2], n.inputs[0]);
    if (n.op == Op::Slice) localize_slice(id, instruction);
    if (n.op == Op::Embedding) {
      instruction.first = first_index(node(n.inputs[1]).dims[0], input_axis(id, n.inputs[1]));
      instruction.table_rows = graph_.shape(n.inputs[1])[0];
    }
    if (is_distributed_norm(id)) instruction.statistic_over = graph_.dims().extent(n.dims.back());
    add_state(instruction);
    return finish(id, std::move(instruction));
  }

  int64_t first_index(graph::DimId dim, plan::AxisId axis) const {
    const std::vector<plan::Interval> local = part_.indices(dim, axis);
    return local.empty() ? 0 : local.front().begin;
  }

  void add_expert_matrices(NodeId id, Instruction& instruction) {
    const NodeId weights = node(id).inputs[1];
    const plan::AxisId axis = input_axis(id, weights);
    const WeightView mine = part_.view(view(weights), weights, axis);
    for (int64_t expert = 0; expert < mine.shape[0]; ++expert) {
      instruction.expert_matrices.push_back(
          parameter(outermost(mine, expert), weights, graph::WeightUse::Matrix, instruction.op == Op::Matmul));
    }
  }

  // Heads that come in groups, each of which shares a head of `shared`: where the rank's heads begin in the first
  // group. It may also have a part of every group, where layers share keys and values but not their axis of heads.
  void localize_groups(NodeId id, Instruction& instruction, NodeId heads, NodeId shared) const {
    if (part_.indices(node(heads).dims[1], strategy(id)).size() > 1) {
      instruction.group = row_shape(heads, strategy(id))[0] / row_shape(shared, strategy(id))[0];
      return;
    }
    instruction.group = graph_.shape(heads)[1] / graph_.shape(shared)[1];
    instruction.first = first_index(node(heads).dims[1], strategy(id)) -
                        first_index(node(shared).dims[1], strategy(id)) * instruction.group;
  }

  // The rank's query heads are those of its range; its key-value heads those that they need. ALiBi slopes go by head.
  void localize_attention(NodeId id, Instruction& instruction) {
    const Node& n = node(id);
    localize_groups(id, instruction, n.inputs[0], n.inputs[1]);
    const graph::DimId heads = node(n.inputs[0]).dims[1];
    auto& attributes = std::get<graph::AttentionAttributes>(instruction.attributes);
    if (!attributes.alibi_slopes.empty()) {
      std::vector<double> slopes;
      for (const plan::Interval& i : part_.indices(heads, strategy(id)))
        slopes.insert(slopes.end(), attributes.alibi_slopes.begin() + i.begin, attributes.alibi_slopes.begin() + i.end);
      attributes.alibi_slopes = std::move(slopes);
    }
    const auto layer = static_cast<size_t>(attributes.layer);
    if (all_.kv_layers.size() <= layer) all_.kv_layers.resize(layer + 1);
    const Shape &k_row = instruction.input_shapes[1], &v_row = instruction.input_shapes[2];
    all_.kv_layers[layer] = {k_row[0], k_row[1], v_row[1], graph::values_in_keys(graph_, id)};
  }

  // Where the slice begins among the indices that the rank has.
  void localize_slice(NodeId id, Instruction& instruction) const {
    auto& slice = std::get<graph::SliceAttributes>(instruction.attributes);
    const NodeId input = node(id).inputs[0];
    int64_t before = 0;
    for (const plan::Interval& i :
         part_.indices(node(input).dims[static_cast<size_t>(slice.dim)], input_axis(id, input)))
      before += std::max<int64_t>(0, std::min(i.end, slice.begin) - i.begin);
    slice.begin = before;
    slice.end = before + instruction.output_shape[static_cast<size_t>(slice.dim) - leading(id)];
  }

  static bool is_repeated(const Shape& a, const Shape& b) {
    bool fits = b.size() <= a.size();
    for (size_t i = 1; fits && i <= b.size(); ++i) fits = b[b.size() - i] == 1 || b[b.size() - i] == a[a.size() - i];
    return fits;
  }

  Broadcast broadcast_of(const Node& n, const Shape& a, const Shape& b) const {
    const int64_t count_a = num_elements(a), count_b = num_elements(b);
    const bool routed = is_routed(n.inputs[0]);
    if (is_parameter(n.inputs[1])) {
      if (routed && b.size() == 3) return {b[0] > 1 ? Broadcast::Kind::ExpertRow : Broadcast::Kind::Row, count_a};
      if (is_suffix(a, b)) return {Broadcast::Kind::Row, count_b};
      if (!routed && is_repeated(a, b))
        return {Broadcast::Kind::Row, num_elements(Shape(a.end() - static_cast<long>(b.size()), a.end()))};
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

  int32_t add_rope(const graph::RopeAttributes& rope) {
    auto& ropes = program_.ropes;
    const auto found = std::ranges::find(ropes, rope);
    if (found != ropes.end()) return static_cast<int32_t>(found - ropes.begin());
    ropes.push_back(rope);
    return static_cast<int32_t>(ropes.size()) - 1;
  }

  // Every rank knows of all states, also of those that it has no part of: the leader hands out slots for them.
  void reserve_state(const Node& n) {
    if (const auto* a = std::get_if<graph::StateAttributes>(&n.attributes)) set_state(a->state, 0);
    if (const auto* a = std::get_if<graph::LinearAttentionAttributes>(&n.attributes)) set_state(a->state, 0);
  }

  // What the instruction keeps of each sequence, if anything.
  void add_state(const Instruction& instruction) {
    const std::vector<Shape>& rows = instruction.input_shapes;
    if (instruction.op == Op::CausalConv) {
      const Shape& w = rows[1];
      set_state(std::get<graph::StateAttributes>(instruction.attributes).state, w[0] * (w[1] - 1));
    } else if (instruction.op == Op::LinearAttention) {
      const Shape &k = rows[1], &v = rows[2];
      set_state(std::get<graph::LinearAttentionAttributes>(instruction.attributes).state, v[0] * k[1] * v[1]);
    } else if (instruction.op == Op::LinearRecurrence) {
      set_state(std::get<graph::StateAttributes>(instruction.attributes).state, rows[0][0]);
    }
  }

  void set_state(int state, int64_t numbers) {
    if (all_.states.size() <= static_cast<size_t>(state)) all_.states.resize(static_cast<size_t>(state) + 1);
    int64_t& known = all_.states[static_cast<size_t>(state)];
    known = std::max(known, numbers);
  }

  const Graph& graph_;
  const plan::Plan& plan_;
  const Part part_;
  RankPrograms all_;  // but for its parameters
  ParameterTable parameters_;
  Program program_;                               // that is being made
  std::vector<Forms> forms_;                      // by node; activations
  std::vector<std::optional<WeightView>> views_;  // by node; what depends on weights alone
  std::vector<int32_t> routing_of_node_;
  std::vector<bool> deciding_;              // by node
  std::vector<std::vector<NodeId>> users_;  // by node
  NodeId head_ = -1;
  NodeId output_ = -1;         // of the program
  std::vector<bool> needed_;   // by node: for that output
  std::vector<bool> reached_;  // by node
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

RankPrograms lower(const Graph& graph, const plan::Plan& plan, int rank, const Limits& limits) {
  graph::verify(graph);
  CHECK(rank >= 0 && rank < plan.ranks);
  CHECK_EQ(plan.placed.strategy.size(), graph.nodes().size());
  CHECK(!graph.outputs().empty());
  return Lowering(graph, plan, rank).run(limits);
}

RankPrograms lower(const Graph& graph, const Limits& limits) {
  return lower(graph, plan::single_rank_plan(graph), 0, limits);
}

}  // namespace cleave::lower
