#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "app/run_model.h"

namespace cleave::app {

/// Tokens of a fixed seed, to feed a model with.
std::vector<int32_t> random_tokens(int64_t count, int64_t vocab_size);

/// Prints each rank's share of the weights, the cache and their sums.
void print_shares(const runtime::SplitModel& model);

/// What one rank computes for some tokens, node by node, to hold several ranks against.
class RankComparison {
 public:
  /// Loads the model on one rank, runs the tokens and keeps every value. The opened model must outlive it.
  RankComparison(const inference::OpenedModel& opened, const ModelFlags& flags, std::span<const int32_t> tokens,
                 double tolerance);

  /// Loads the model on the ranks of a group, runs the same tokens and compares every value that a rank of this
  /// process has, whole or in part. Prints the result. Throws Error naming the first node that differs by more than the
  /// tolerance.
  void compare(inference::Group& group) const;

 private:
  const inference::OpenedModel& opened_;
  const ModelFlags& flags_;
  std::vector<int32_t> tokens_;
  double tolerance_;
  std::map<graph::NodeId, std::vector<float>> values_;  // by node: all rows
};

}  // namespace cleave::app
