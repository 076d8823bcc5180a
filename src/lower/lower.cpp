#include "lower/lower.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "lower/localize.h"
#include "lower/passes.h"
#include "lower/values.h"
#include "lower/weights.h"

namespace cleave::lower {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;

/// Makes the program of one output: walks the nodes that it needs in their order, and gives each an instruction for
/// this rank's part of its work and the exchanges that the plan wants behind it.
class OutputLowering {
 public:
  OutputLowering(const Part& part, Weights& weights, const graph::Output& output, const Limits& limits,
                 RankPrograms& memory)
      : part_(part),
        weights_(weights),
        memory_(memory),
        output_(output),
        needed_(graph::needed_for(part.graph(), output)),
        kept_(graph::kept_by(part.graph(), output)),
        reached_(needed_.size(), false),
        users_(needed_.size()),
        program_(part, output.name, limits),
        values_(part, program_) {
    for (size_t i = 0; i < needed_.size(); ++i)
      for (const NodeId input : node(static_cast<NodeId>(i)).inputs)
        if (needed_[i]) users_[index(input)].push_back(static_cast<NodeId>(i));
    for (const NodeId attention : kept_)
      for (const size_t operand : {1, 2}) users_[index(node(attention).inputs[operand])].push_back(attention);
  }

  Program run() {
    if (part_.is_parameter(output_.node)) fail_empty();
    for (size_t i = 0; i < needed_.size(); ++i)
      if (needed_[i]) reach(static_cast<NodeId>(i));
    for (const NodeId attention : kept_) keep(attention);
    const Operand result = values_.operand(output_.node, plan::kNoAxis);
    if (result.kind != Operand::Kind::Value) fail_empty();
    return program_.finish(result, num_elements(part_.row_shape(output_.node, plan::kNoAxis)));
  }

 private:
  static size_t index(NodeId id) { return static_cast<size_t>(id); }
  const Node& node(NodeId id) const { return part_.graph().node(id); }
  const plan::Placed& placed() const { return part_.plan().placed; }

  [[noreturn]] void fail_empty() const {
    fail(ErrorKind::Unsupported, "output {} of the model computes nothing", output_.name);
  }

  // Lowers a node once, behind its operands: a sum that is taken with an earlier one needs its own before its turn.
  void reach(NodeId id) {
    if (reached_[index(id)]) return;
    reached_[index(id)] = true;
    for (const NodeId input : node(id).inputs)
      if (needed_[index(input)]) reach(input);
    if (node(id).op == Op::Input)
      values_.set(id, input(id));
    else if (!part_.is_parameter(id))
      lower_work(id);
  }

  Operand input(NodeId id) const {
    constexpr Operand::Kind kKinds[] = {Operand::Kind::TokenIds, Operand::Kind::Positions, Operand::Kind::OutputRows,
                                        Operand::Kind::TokenTypes};
    return {kKinds[static_cast<size_t>(node(id).as<graph::InputAttributes>().kind)], -1};
  }

  void lower_work(NodeId id) {
    const Node& n = node(id);
    program_.inherit_routing(id);
    if (n.op == Op::Dispatch && !part_.is_idle(id))
      program_.begin_routing(id, values_.operand(n.inputs[1], plan::kNoAxis));
    reserve_state(n, memory_);
    values_.set(id, compute(id));
    exchange(id);
    if (n.op == Op::Combine) program_.end_routing(id);
  }

  // The node's own part of the work.
  Operand compute(NodeId id) {
    const Node& n = node(id);
    if (n.op == Op::Reshape)  // rows are compact: nothing moves
      return values_.operand(n.inputs[0], part_.input_axis(id, n.inputs[0]));
    if (part_.is_idle(id)) return placed()[id].result.partial ? values_.zero(id) : Operand{Operand::Kind::Nothing, -1};
    if (part_.work(id).added_once && part_.rank() != 0) return values_.operand(partial_input(id), plan::kNoAxis);
    return emit(id);
  }

  // Of a sum to which rank 0 alone adds the other operand: for the other ranks it stays what it is.
  NodeId partial_input(NodeId id) const {
    const std::vector<NodeId>& inputs = node(id).inputs;
    return *std::ranges::find_if(inputs, [&](NodeId input) { return placed()[input].available().partial; });
  }

  Operand emit(NodeId id) {
    const Node& n = node(id);
    Instruction instruction = program_.about(id, Action::Compute, placed()[id].result.axis);
    const bool product = graph::op_info(n.op).family == graph::OpFamily::Matmul;
    if (product && !part_.is_parameter(n.inputs[1]))
      fail(ErrorKind::Unsupported, "matmul {}: the second operand must be a weight", n.name);
    const bool batched = weights_.is_batched(id);
    for (size_t i = 0; i < (batched ? 1 : n.inputs.size()); ++i) {
      instruction.inputs.push_back(operand(id, i));
      instruction.input_shapes.push_back(part_.row_shape(n.inputs[i], part_.input_axis(id, n.inputs[i])));
    }
    if (product) instruction.payload = Products{batched ? weights_.matrices(id) : std::vector<int32_t>{}};
    localize(part_, instruction, program_, memory_);
    return program_.append(std::move(instruction));
  }

  // Nothing for what another output has kept.
  Operand operand(NodeId user, size_t i) {
    const NodeId input = node(user).inputs[i];
    if (part_.is_parameter(input)) return weights_.operand(user, i);
    if (!needed_[index(input)]) return {Operand::Kind::Nothing, -1};
    return values_.operand(input, part_.input_axis(user, input));
  }

  // Puts an attention's keys and values, in the form in which it is going to read them, where it does.
  void keep(NodeId attention) {
    if (part_.is_idle(attention)) return;
    Instruction instruction = program_.about(attention, Action::Keep, part_.strategy(attention));
    instruction.output_shape = {0};
    for (const size_t operand_index : {1, 2}) {
      const NodeId input = node(attention).inputs[operand_index];
      instruction.inputs.push_back(operand(attention, operand_index));
      instruction.input_shapes.push_back(part_.row_shape(input, part_.input_axis(attention, input)));
    }
    program_.append(std::move(instruction));
  }

  // What the plan wants behind the node: its sum taken, or its parts gathered.
  void exchange(NodeId id) {
    if (part_.plan().ranks == 1) return;
    if (placed()[id].reduced)
      sum(id);
    else if (placed()[id].gathered)
      gather(id);
  }

  // Sums that are taken together are, of those that this output needs, where the first is computed.
  void sum(NodeId id) {
    const int32_t joint = placed()[id].joint;
    std::vector<NodeId> nodes = joint < 0 ? std::vector{id} : placed().joint[static_cast<size_t>(joint)];
    std::erase_if(nodes, [&](NodeId other) { return !needed_[index(other)]; });
    if (nodes.size() == 1) return values_.sum(id);
    if (id != nodes.front()) return;
    for (const NodeId other : nodes) reach(other);
    values_.sum_jointly(nodes);
  }

  // The plan is about all outputs; this one may want parts alone.
  void gather(NodeId id) {
    const std::vector<NodeId>& users = users_[index(id)];
    const auto wants_whole = [&](NodeId user) { return part_.input_axis(user, id) != part_.strategy(id); };
    if (id != output_.node && std::ranges::none_of(users, wants_whole)) return;
    values_.gather(id, users.empty() ? Action::Gather : Action::AllGather);
  }

  const Part& part_;
  Weights& weights_;
  RankPrograms& memory_;  // what is kept of sequences
  const graph::Output& output_;
  const std::vector<bool> needed_;          // by node: for the output
  const std::vector<NodeId> kept_;          // attentions whose keys and values this output keeps
  std::vector<bool> reached_;               // by node
  std::vector<std::vector<NodeId>> users_;  // by node: those that the output needs
  ProgramBuilder program_;
  Values values_;
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
  CHECK_EQ(plan.placed.nodes.size(), graph.nodes().size());
  CHECK(!graph.outputs().empty());
  const Part part(graph, plan, rank);
  ParameterTable parameters;
  Weights weights(part, parameters);
  RankPrograms all;
  for (const graph::Output& output : graph.outputs()) {
    Program program = OutputLowering(part, weights, output, limits, all).run();
    fuse(program, parameters, all.kv_layers);
    assign_offsets(program);
    all.programs.push_back(std::move(program));
  }
  all.parameters = parameters.take();
  return all;
}

RankPrograms lower(const Graph& graph, const Limits& limits) {
  return lower(graph, plan::single_rank_plan(graph), 0, limits);
}

}  // namespace cleave::lower
