#include "runtime/cpu/workspace.h"

#include "base/check.h"
#include "lower/lower.h"

namespace cleave::runtime::cpu {

using lower::Instruction;
using lower::Operand;

float* Workspace::value(int32_t index) const {
  return reinterpret_cast<float*>(arena.data() + program.values[static_cast<size_t>(index)].offset);
}

const float* Workspace::numbers(const Operand& operand) const {
  if (operand.kind == Operand::Kind::Value) return value(operand.index);
  if (operand.kind == Operand::Kind::Nothing) return nullptr;
  CHECK(operand.kind == Operand::Kind::Parameter);
  return parameters[static_cast<size_t>(operand.index)].vector.data();
}

const int32_t* Workspace::indices(const Operand& operand) const {
  switch (operand.kind) {
    case Operand::Kind::TokenIds:
      return state.token_ids();
    case Operand::Kind::Positions:
      return state.positions();
    case Operand::Kind::OutputRows:
      return state.output_rows();
    case Operand::Kind::TokenTypes:
      return state.token_types();
    case Operand::Kind::Value:
      return index_value(operand.index);
    case Operand::Kind::Parameter:
    case Operand::Kind::Nothing:
      break;
  }
  fail(ErrorKind::Internal, "an operand that holds no indices");
}

const kernels::Matrix& Workspace::matrix(const Operand& operand) const {
  CHECK(operand.kind == Operand::Kind::Parameter);
  return *parameters[static_cast<size_t>(operand.index)].matrix;
}

std::vector<const kernels::Matrix*> Workspace::matrices(const std::vector<int32_t>& indices) const {
  std::vector<const kernels::Matrix*> matrices;
  for (const int32_t index : indices) matrices.push_back(parameters[static_cast<size_t>(index)].matrix.get());
  return matrices;
}

int64_t Workspace::rows(const Instruction& instruction) const {
  const lower::Value& value = output(instruction);
  if (value.rows != lower::Rows::Routed) return lower::num_rows(value, state.num_tokens(), state.num_output_rows());
  const lower::Routing& routing = program.routings[static_cast<size_t>(instruction.routing)];
  return index_value(routing.offsets)[routing.experts];
}

}  // namespace cleave::runtime::cpu
