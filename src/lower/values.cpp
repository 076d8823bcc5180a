#include "lower/values.h"

#include <utility>

namespace cleave::lower {

using graph::NodeId;

Values::Values(const Part& part, ProgramBuilder& program)
    : part_(part), program_(program), forms_(part.graph().nodes().size()) {}

Operand Values::operand(NodeId id, plan::AxisId axis) {
  const plan::Placement available = part_.plan().placed[id].available();
  if (available.partial || available.axis == axis) return own(id);
  const Operand whole = available.axis == plan::kNoAxis ? own(id) : forms(id).whole;
  if (axis == plan::kNoAxis) return whole;
  if (part_.has_nothing(id, axis)) return {Operand::Kind::Nothing, -1};
  const auto [found, fresh] = forms(id).narrowed.emplace(axis, Operand{});
  if (fresh) found->second = narrow(id, whole, axis);
  return found->second;
}

Operand Values::zero(NodeId id) {
  return program_.append(program_.about(id, Action::Zero, plan::kNoAxis));
}

void Values::sum(NodeId id) {
  set(id, exchange(id, Action::AllReduce, plan::kNoAxis));
}

void Values::sum_jointly(const std::vector<NodeId>& nodes) {
  Instruction sum = program_.about(nodes.front(), Action::AllReduce, plan::kNoAxis);
  sum.output_shape = {0};
  for (const NodeId id : nodes) {
    sum.inputs.push_back(own(id));
    sum.input_shapes.push_back(part_.row_shape(id, plan::kNoAxis));
    sum.output_shape[0] += num_elements(sum.input_shapes.back());
  }
  const Shape whole = sum.output_shape;
  const Operand all = program_.append(std::move(sum));
  int64_t before = 0;
  for (const NodeId id : nodes) {
    Instruction part = program_.about(id, Action::SplitJointSum, plan::kNoAxis);
    part.inputs = {all};
    part.input_shapes = {whole};
    part.payload = JointPart{before};
    before += num_elements(part.output_shape);
    set(id, program_.append(std::move(part)));
  }
}

void Values::gather(NodeId id, Action action) {
  forms(id).whole = exchange(id, action, part_.strategy(id));
}

Operand Values::narrow(NodeId id, Operand whole, plan::AxisId axis) {
  Instruction instruction = program_.about(id, Action::Narrow, axis);
  instruction.inputs = {whole};
  instruction.input_shapes = {part_.row_shape(id, plan::kNoAxis)};
  instruction.payload = Shares{part_.shares(id, axis)};
  return program_.append(std::move(instruction));
}

Operand Values::exchange(NodeId id, Action action, plan::AxisId axis) {
  Instruction instruction = program_.about(id, action, plan::kNoAxis);
  instruction.inputs = {own(id)};
  instruction.input_shapes = {part_.row_shape(id, axis)};
  if (action != Action::AllReduce) instruction.payload = Shares{part_.shares(id, axis)};
  return program_.append(std::move(instruction));
}

}  // namespace cleave::lower
