#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "runtime/device/device.h"
#include "runtime/model_source.h"
#include "runtime/rank_loader.h"

namespace cleave::runtime {

/// The ranks of this process: their communicators, in the order of their numbers, and threads for each.
struct LocalRanks {
  std::vector<std::unique_ptr<comm::Communicator>> communicators;
  int threads_per_rank = 1;
  std::vector<std::vector<int>> cpus = {};  // for each thread of each rank; empty: wherever the system likes
};

/// Makes of the description that the leader has sent what this process loads a model from. What it throws becomes the
/// error of SplitModel's constructor in the leading process.
using OpenSource = std::function<ModelSource(std::string_view description)>;

/// The ranks of this process, into which models are loaded and unloaded while they live: each a thread with its own
/// pool. The first computes on the thread that has made the group, the others wait for it. Rank 0 leads: it alone sees
/// requests, and tells all other ranks what to do, those of other processes included, which follow().
///
/// Used by one thread at a time, as a rule the one that has made it: where ranks are bound to CPUs, it is. Several
/// models take steps by turns.
///
/// Failure. A rank that fails in a step or while it reads weights tells the others; from then on the group is of no
/// use, and every call throws an error that names the rank. Where a rank finds that it cannot load a model before any
/// rank has begun to read weights (a file is missing, plans differ, memory does not suffice), loading throws and the
/// group goes on as if nothing had happened.
class RankGroup {
 public:
  /// REQUIRES: at least one communicator.
  explicit RankGroup(LocalRanks local);
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;
  /// Where this process leads, the others' follow() returns. REQUIRES: no models, unless follow() has thrown.
  ~RankGroup();

  bool leads() const;  // whether rank 0 is here
  int size() const;    // ranks of all processes

  /// Does what the leader wants until it ends the group. Throws Error where a rank fails. REQUIRES: !leads(); once.
  void follow(const OpenSource& open);

  // What models (split_model.h) ask of the group. REQUIRES: leads().

  /// Loads a model and gives its number. Processes that do not lead get the description.
  int32_t load(const ModelSource& source, std::string_view description, const Progress& progress);
  /// Runs a step of a model by all ranks.
  StepOutput step(int32_t model, int32_t program, const StepInput& input);
  /// All logits of some rows of its last step.
  std::span<const RowLogits> logits(int32_t model, int32_t program, std::span<const int32_t> rows);
  /// Seconds that rank 0 has spent in exchanges with other ranks, waits for them included, in whatever it did so far.
  double exchange_seconds() const;
  /// Threads that share_out() works on: those of the ranks of this process.
  int num_workers() const;
  /// Calls task(index, worker) for every index in [0, count), each on one of these threads, and returns when all have
  /// returned. Tasks do not throw. Throws Error(Comm) where a rank has failed.
  void share_out(int64_t count, FunctionRef<void(int64_t index, int worker)> task);
  /// Gives a model's memory back on all ranks, and returns when they have; of a group that has failed, on this one.
  void unload(int32_t model) noexcept;
  /// Rank 0's part of a model, whose reports are of all ranks.
  const LoadedPart& part(int32_t model) const;
  /// Observes a model on the ranks of this process, which may call `observer` at the same time.
  void observe(int32_t model, const Observer& observer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::runtime
