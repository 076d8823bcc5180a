#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/step_model.h"

namespace cleave::inference {

/// Minus the natural logarithm of the probability that `logits` give to `token`; infinite or NaN where logits are no
/// numbers.
double nll_of(std::span<const float> logits, int32_t token);

/// Scores the tokens of a text by the probability that a model gives them after those before. Steps take as many tokens
/// as the model does, and only as many rows of logits at a time as it gives. Works on one sequence of its own, in the
/// key-value blocks from 0 on: no other sequence may be under way.
class Scorer {
 public:
  /// Both must outlive the scorer. Rows are scored by the threads of the pool.
  Scorer(engine::StepModel& model, ThreadPool& pool);

  /// Gives nll_of() of tokens [first_counted, tokens.size()) to `take`, in order. REQUIRES: first_counted >= 1. Throws
  /// what the model throws.
  void score(std::span<const int32_t> tokens, int64_t first_counted, FunctionRef<void(double nll)> take);

 private:
  engine::StepModel& model_;
  engine::StepLimits limits_;
  ThreadPool& pool_;
  std::vector<int32_t> blocks_, rows_;
  std::vector<double> scores_;  // of a step's rows
};

}  // namespace cleave::inference
