#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "graph/turning.h"
#include "runtime/device/step.h"

namespace cleave::engine {

/// The limits of a model's steps, fixed when it is loaded.
struct StepLimits {
  int64_t vocab_size = 0;
  int64_t max_tokens = 0;       // of a step
  int64_t max_output_rows = 0;  // of a step
  int64_t num_blocks = 0;       // of the key-value cache
  int64_t block_size = 0;       // positions of a block
  int64_t num_state_slots = 0;  // sequences whose recurrent states there is room for; 0: the model keeps none
  /// Lengths, ascending, beyond which a sequence is fed anew from its first token (graph/recompute_lengths.h).
  std::vector<int64_t> recompute_lengths = {};
  int64_t num_snapshots = 0;    // copies of recurrent states, in the slots behind num_state_slots
  graph::Turning turning = {};  // how keys are turned by position
};

/// The engine's view of a loaded model: steps in, logits out, or what is wanted of them. Tests put a small machine in
/// its place.
class StepModel {
 public:
  virtual ~StepModel() = default;
  virtual StepLimits limits() const = 0;
  /// As runtime::SplitModel::step() and logits(): of rows of vocab_size logits.
  virtual runtime::StepOutput step(const runtime::StepInput& input) = 0;
  virtual std::span<const runtime::RowLogits> logits(std::span<const int32_t> rows) = 0;

  /// Seconds that rank 0 has spent in exchanges with other ranks so far, waits for them included.
  virtual double exchange_seconds() const { return 0; }

  /// Threads that share_out() works on.
  virtual int num_workers() const { return 1; }
  /// Calls task(index, worker) for every index in [0, count), between steps, each on one of the threads that compute
  /// steps, and returns when all have returned. Worker numbers are below num_workers(). Tasks do not throw.
  virtual void share_out(int64_t count, FunctionRef<void(int64_t index, int worker)> task) {
    for (int64_t index = 0; index < count; ++index) task(index, 0);
  }
};

}  // namespace cleave::engine
