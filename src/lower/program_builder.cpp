#include "lower/program_builder.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "graph/rows.h"

namespace cleave::lower {

using graph::Node;
using graph::NodeId;

ProgramBuilder::ProgramBuilder(const Part& part, std::string output_name, const Limits& limits)
    : part_(part), routing_of_node_(part.graph().nodes().size(), -1) {
  program_.output_name = std::move(output_name);
  program_.limits = limits;
}

Instruction ProgramBuilder::about(NodeId id, Action action, plan::AxisId axis) const {
  const Node& node = part_.graph().node(id);
  Instruction instruction;
  instruction.op = node.op;
  instruction.attributes = node.attributes;
  instruction.name = node.name;
  instruction.output_shape = part_.row_shape(id, axis);
  instruction.routing = routing_of_node_[static_cast<size_t>(id)];
  instruction.node = id;
  instruction.action = action;
  return instruction;
}

Operand ProgramBuilder::append(Instruction instruction) {
  instruction.output = add_output_value(instruction);
  program_.instructions.push_back(std::move(instruction));
  return {Operand::Kind::Value, program_.instructions.back().output};
}

void ProgramBuilder::inherit_routing(NodeId id) {
  const Node& node = part_.graph().node(id);
  for (const NodeId input : node.inputs) {
    const int32_t routing = routing_of(input);
    if (routing < 0) continue;
    if (routing_of(id) >= 0 && routing_of(id) != routing)
      fail(ErrorKind::Unsupported, "{} combines tokens of two different expert choices", graph::op_info(node.op).name);
    routing_of(id) = routing;
  }
}

void ProgramBuilder::begin_routing(NodeId dispatch, Operand chosen) {
  const Node& node = part_.graph().node(dispatch);
  const plan::Interval experts = part_.indices(node.dims[0], part_.strategy(dispatch)).at(0);
  Routing routing;
  routing.chosen = chosen;
  routing.slots = part_.row_shape(node.inputs[1], plan::kNoAxis)[0];
  routing.all_experts = node.as<graph::DispatchAttributes>().num_experts;
  routing.first_expert = experts.begin;
  routing.experts = experts.size();
  routing.offsets = add_value(Rows::Fixed, 1, routing.experts + 1);
  routing.order = add_value(Rows::Routed, routing.slots, 1);
  routing.position = add_value(Rows::Routed, routing.slots, 1);
  routing_of(dispatch) = static_cast<int32_t>(program_.routings.size());
  program_.routings.push_back(routing);
}

int32_t ProgramBuilder::rope_table(const graph::RopeAttributes& rope) {
  const auto found = std::ranges::find(program_.ropes, rope);
  const auto index = static_cast<int32_t>(found - program_.ropes.begin());
  if (found == program_.ropes.end()) program_.ropes.push_back(rope);
  return index;
}

Program ProgramBuilder::finish(Operand output, int64_t width) {
  program_.output = output;
  program_.output_width = width;
  return std::move(program_);
}

int32_t ProgramBuilder::add_value(Rows rows, int64_t slots, int64_t width) {
  program_.values.push_back({rows, slots, width, -1});
  return static_cast<int32_t>(program_.values.size()) - 1;
}

int32_t ProgramBuilder::add_output_value(const Instruction& instruction) {
  const graph::Graph& graph = part_.graph();
  const Rows rows = graph::rows_of(graph, instruction.node);
  // Nothing else than what depends on weights alone is the same for all tokens.
  const auto varies = [&](const Operand& input) {
    if (input.kind == Operand::Kind::Parameter || input.kind == Operand::Kind::Nothing) return false;
    return input.kind != Operand::Kind::Value || program_.values[static_cast<size_t>(input.index)].rows != Rows::Fixed;
  };
  if (rows == Rows::Fixed && std::ranges::any_of(instruction.inputs, varies))
    fail(ErrorKind::Unsupported, "{} gives {}: an activation starts with tokens, output rows or experts",
         graph::op_info(instruction.op).name, graph.shape_text(instruction.node));
  const auto routing = static_cast<size_t>(routing_of(instruction.node));
  return add_value(rows, rows == Rows::Routed ? program_.routings[routing].slots : 1,
                   num_elements(instruction.output_shape));
}

}  // namespace cleave::lower
