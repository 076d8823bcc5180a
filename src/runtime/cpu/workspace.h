#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "comm/communicator.h"
#include "kernels/matrix/matrix.h"
#include "lower/program.h"
#include "runtime/cpu/kv_storage.h"
#include "runtime/cpu/state_storage.h"
#include "runtime/cpu/step_state.h"
#include "runtime/cpu/weight_store.h"

namespace cleave::runtime::cpu {

/// A call of a kernel with buffers and weights resolved: what an instruction becomes. Called once per step.
using BoundInstruction = std::function<void()>;

/// Addresses of the values, weights and states of a program while it is bound and run. Everything is borrowed and does
/// not move.
struct Workspace {
  const lower::Program& program;
  const std::vector<LoadedParameter>& parameters;
  KvStorage& kv;
  StateStorage& states;
  StepState& state;
  Buffer& arena;
  std::span<std::byte> scratch;  // shared by all instructions, which run one after another
  comm::Communicator& communicator;
  ThreadPool& pool;

  float* value(int32_t index) const;
  int32_t* index_value(int32_t index) const { return reinterpret_cast<int32_t*>(value(index)); }
  /// The numbers of an operand that is a value or a vector parameter; null for Nothing.
  const float* numbers(const lower::Operand& operand) const;
  /// The indices of an operand that is an input or an index value.
  const int32_t* indices(const lower::Operand& operand) const;
  const kernels::Matrix& matrix(const lower::Operand& operand) const;
  const kernels::Matrix& matrix(int32_t parameter) const { return *parameters[static_cast<size_t>(parameter)].matrix; }
  /// The matrices of some parameters.
  std::vector<const kernels::Matrix*> matrices(const std::vector<int32_t>& indices) const;
  const lower::Value& output(const lower::Instruction& instruction) const {
    return program.values[static_cast<size_t>(instruction.output)];
  }
  /// Rows of the instruction's output in the current step; of routed rows, those that this rank's experts have.
  int64_t rows(const lower::Instruction& instruction) const;
};

}  // namespace cleave::runtime::cpu
