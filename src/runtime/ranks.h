#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ckpt/tensor_source.h"
#include "comm/communicator.h"
#include "plan/plan.h"
#include "runtime/device/options.h"
#include "runtime/device/step.h"

namespace cleave::runtime {

/// What a rank turned out to hold.
struct RankReport {
  MemoryUse memory;
};

/// The ranks of this process: their communicators, in the order of their numbers, and threads for each.
struct LocalRanks {
  std::vector<std::unique_ptr<comm::Communicator>> communicators;
  int threads_per_rank = 1;
  std::vector<std::vector<int>> cpus = {};  // for each thread of each rank; empty: wherever the system likes
};

/// What the weights are read from: files, or what rank 0 sends. On rank 0, `feed` are the ranks that it sends to.
struct WeightOrigin {
  const ckpt::TensorSource* tensors = nullptr;  // null: from rank 0
  std::vector<int> feed = {};
};

/// The ranks that this process has of a model: each a thread with its own pool, weights and cache. The first computes
/// on the thread that calls step() or follow(); the others wait for it. Rank 0 leads: it alone sees requests, and hands
/// every step to the others.
///
/// A rank that fails tells the others, and every call from then on throws the error.
class Ranks {
 public:
  /// Compares the plans of all ranks, lowers the graph for each rank of this process and loads its weights, all ranks
  /// at once. The source of tensors must outlive the ranks. Throws Error.
  Ranks(const WeightOrigin& weights, const graph::Graph& graph, const plan::Plan& plan, const Options& options,
        LocalRanks local, const Progress& progress = {});
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  /// Where this process leads, the others' follow() returns.
  ~Ranks();

  /// Whether rank 0 is among them.
  bool lead() const;
  int size() const;  // ranks of all processes
  int64_t vocab_size() const;
  int64_t num_blocks() const;
  int64_t num_state_slots() const;
  const Options& options() const;
  /// What every rank holds; all ranks' on rank 0, otherwise those of this process.
  const std::vector<RankReport>& reports() const;

  /// As cpu::Executor::observe(), of the ranks of this process, which may call `observer` at the same time. To be
  /// called before the first step.
  void observe(const Observer& observer);

  /// As cpu::Executor::step(), by all ranks. REQUIRES: lead().
  std::span<const float> step(const StepInput& input);

  /// Computes what the leader wants until it is done. REQUIRES: !lead().
  void follow();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::runtime
