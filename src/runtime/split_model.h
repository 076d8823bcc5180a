#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "graph/turning.h"
#include "runtime/device/device.h"
#include "runtime/model_source.h"
#include "runtime/rank_group.h"

namespace cleave::runtime {

/// A model that is loaded into a group of ranks, each of which holds a part: packed weights, one program for each
/// output of the model's graph, and the memory of sequences. Lives in the leading process, on the group's thread.
class SplitModel {
 public:
  /// Compares the plans of all ranks, lowers the graph for each of them and loads its weights, all ranks at once.
  /// `description` goes to the OpenSource of processes that do not lead; it may be empty where there are none. The
  /// group and `source.tensors` must outlive the model. Throws Error, and leaves the group as RankGroup says.
  SplitModel(RankGroup& group, const ModelSource& source, std::string_view description = {},
             const Progress& progress = {});
  SplitModel(const SplitModel&) = delete;
  SplitModel& operator=(const SplitModel&) = delete;
  /// Unloads it on all ranks: their memory is free when it returns.
  ~SplitModel();

  int num_ranks() const { return group_.size(); }
  const Options& options() const { return options_; }
  /// Numbers in a row of logits; of the graph's output `program`.
  int64_t output_width(int program = 0) const;
  int64_t num_blocks() const;       // key-value blocks; ids are [0, num_blocks)
  int64_t num_state_slots() const;  // sequences that can be under way at a time; 0 where it does not matter
  /// Slots behind those, for copies of states (SequenceStep::saved_slot); 0 where there are no states.
  int64_t num_snapshots() const;
  /// How keys are turned by position, as far as that depends on a sequence's length (graph/turning.h).
  const graph::Turning& turning() const;
  /// Lengths beyond which a sequence is to be fed anew from its first token (graph/recompute_lengths.h).
  const std::vector<int64_t>& recompute_lengths() const;
  /// What every rank holds.
  const std::vector<RankReport>& reports() const;

  /// From now on every instruction of the ranks of this process is followed by a call of `observer`; these ranks call
  /// it at the same time. To be called before the first step.
  void observe(const Observer& observer);

  /// Runs one step of the graph's output `program` by all ranks. What it returns is in the order of output_rows, valid
  /// until the next call. Throws Error(InvalidArgument) for a token id outside the vocabulary or a position beyond the
  /// model's learned ones, Error(Comm) where a rank fails.
  StepOutput step(const StepInput& input, int program = 0);
  /// All logits of some rows of the last step, which are numbered as its output_rows, valid until the next call. Throws
  /// Error(Comm) where a rank fails. REQUIRES: the step had wishes.
  std::span<const RowLogits> logits(std::span<const int32_t> rows, int program = 0);

  /// As RankGroup::exchange_seconds().
  double exchange_seconds() const { return group_.exchange_seconds(); }

  /// Threads that share_out() works on.
  int num_workers() const { return group_.num_workers(); }
  /// Work of the host between steps, as RankGroup::share_out() does it.
  void share_out(int64_t count, FunctionRef<void(int64_t index, int worker)> task) { group_.share_out(count, task); }

 private:
  RankGroup& group_;
  const Options options_;
  const int32_t number_;  // in the group
};

}  // namespace cleave::runtime
