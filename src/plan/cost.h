#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "plan/hardware.h"
#include "plan/placement.h"

namespace cleave::plan {

/// The machine and the workload that a plan is judged by.
struct CostModel {
  Hardware hardware;
  int threads_per_rank = 0;     // 0: the machine's cores, dealt out evenly
  int64_t prompt_tokens = 512;  // of the step that stands for prompts
  int64_t context = 4096;       // positions of key-value cache that a generated token reads
  DType kv_type = DType::F16;   // of cached keys and values: F32, F16 or I8
};

/// Costs of a plan, or of one node of it. Where ranks differ, the slowest rank counts.
struct Cost {
  double decode_seconds = 0;   // a step of one token: reading weights and key-value cache, and fixed costs
  double prefill_seconds = 0;  // a step of CostModel::prompt_tokens
  double decode_exchange = 0, prefill_exchange = 0;  // of these, spent in collectives
  int64_t resident = 0;         // bytes of weights, and of cache for `context` tokens, on the rank with most of them
  int64_t collectives = 0;      // of a step
  double collective_bytes = 0;  // a rank's part in a step of one token

  Cost& operator+=(const Cost& other);
};

/// Stored bytes of the part of parameter `id` that `rank` holds when it is split by `axis` (all of it for kNoAxis).
double parameter_bytes(const Problem& problem, graph::NodeId id, AxisId axis, int rank);

/// Bytes of one token in the key-value cache of a rank, for an attention whose work is split by `axis`. In int8 each
/// vector has a scale. Nothing where it keeps nothing.
double cache_bytes(const Problem& problem, graph::NodeId attention, AxisId axis, int rank, DType kv_type);

/// Costs of every node for every way to share its work, computed once, so that a plan is judged by adding them up. A
/// graph with several outputs costs what all its nodes cost, each once.
class NodeCosts {
 public:
  NodeCosts(const Problem& problem, const CostModel& model);

  Cost of(const Placed& placed) const;
  double prompt_tokens() const { return static_cast<double>(model_.prompt_tokens); }
  /// Time in which a rank reads a byte of memory.
  double seconds_per_byte() const;

 private:
  struct Choice {
    AxisId axis;
    Cost cost;
  };
  /// A parameter that several nodes use in the same way: held once for each axis by which they split it.
  struct Shared {
    graph::NodeId parameter;
    std::vector<graph::NodeId> users;
    std::map<AxisId, int64_t> bytes;  // of the part that its axis gives
  };
  void find_shared();
  int64_t repeated_bytes(const Shared& shared, const Placed& placed) const;
  int rank_of(AxisId axis) const { return axis == kNoAxis ? slowest_whole_ : slowest_[static_cast<size_t>(axis)]; }
  Cost node_cost(graph::NodeId id, AxisId axis) const;
  Cost product_cost(graph::NodeId id, graph::NodeId weight, AxisId axis) const;
  Cost cache_cost(graph::NodeId id, AxisId axis) const;
  Cost state_cost(graph::NodeId id, AxisId axis) const;
  RankRates rates_of(AxisId axis, const std::string& format) const;
  Cost exchange(double decode_bytes, double prefill_bytes, bool gather) const;
  Cost joint_sum(const std::vector<graph::NodeId>& nodes) const;
  double step_rows(const NodeFacts& facts, bool prefill) const;

  double busiest_experts(int64_t slots) const;

  const Problem& problem_;
  CostModel model_;
  double mean_weight_ = 1;
  int slowest_whole_ = 0;
  std::vector<int> slowest_;                   // by axis: the rank that has most of it for its weight
  mutable std::map<int64_t, double> busiest_;  // by choices of a token: expected experts of the busiest rank
  std::vector<std::vector<Choice>> choices_;   // by node
  std::vector<Shared> shared_;
  std::vector<Cost> reduce_, gather_, statistic_;  // by node
};

}  // namespace cleave::plan
