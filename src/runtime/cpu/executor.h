#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "comm/communicator.h"
#include "lower/program.h"
#include "runtime/cpu/output_rows.h"
#include "runtime/cpu/sequence_memory.h"
#include "runtime/cpu/step_state.h"
#include "runtime/cpu/weight_store.h"
#include "runtime/cpu/workspace.h"
#include "runtime/device/device.h"

namespace cleave::runtime::cpu {

/// One program of one rank, bound to its weights, to the memory of sequences and to activations of its own: every
/// instruction is a call with fixed arguments, so that a step looks nothing up and allocates nothing.
class Executor {
 public:
  /// Borrows everything, for its whole life. REQUIRES: the program's operands index the store's parameters.
  Executor(const lower::Program& program, const WeightStore& weights, SequenceMemory& memory,
           comm::Communicator& communicator, ThreadPool& pool);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  int64_t activation_bytes() const { return static_cast<int64_t>(arena_.size() + scratch_.size()); }

  /// As DeviceModel::step() and logits(), of this program.
  StepOutput step(const StepInput& input);
  std::span<const RowLogits> logits(std::span<const int32_t> rows) { return outputs_.gather(rows); }

  /// From now on every instruction is followed by a call of `observer`.
  void observe(const Observer& observer);

 private:
  // Members are made in this order, since later ones point into earlier ones; none moves afterwards.
  const lower::Program& program_;
  SequenceMemory& memory_;
  StepState state_;
  Buffer arena_;
  Buffer scratch_;
  Workspace workspace_;
  OutputRows outputs_;
  std::vector<BoundInstruction> instructions_;
};

}  // namespace cleave::runtime::cpu
