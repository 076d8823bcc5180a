#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "engine/step_model.h"

namespace cleave::app {

/// A part of a text that the model sees behind nothing: tokens [begin, end). Of them, [first_counted, end) are scored,
/// each by the probability that it has after the ones before it.
struct TextWindow {
  int64_t begin, end, first_counted;
  bool operator==(const TextWindow&) const = default;
};

/// Without a stride, windows follow one another and the second half of each counts, a rest that fills no window does
/// not: llama.cpp's method (tools/perplexity). With one, windows begin `stride` tokens apart and count what none before
/// has counted, which is Transformers' ("Perplexity of fixed-length models"). REQUIRES: context >= 2, 1 <= stride <=
/// context.
std::vector<TextWindow> text_windows(int64_t tokens, int64_t context, std::optional<int64_t> stride);

/// Negative logarithms of probabilities, in nats.
class Nll {
 public:
  void add(double nll) { sum_ += nll, squares_ += nll * nll, ++count_; }
  int64_t count() const { return count_; }
  double mean() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : 0; }
  double perplexity() const;
  /// Of the mean, as if tokens were independent; 0 for a single one.
  double standard_error() const;

 private:
  double sum_ = 0, squares_ = 0;
  int64_t count_ = 0;
};

/// Minus the logarithm of the probability that `logits` give to `token`; infinite or NaN where logits are no numbers.
double nll_of(std::span<const float> logits, int32_t token);

/// Steps of a window through a model: all of its tokens but the last, in steps of as many tokens as the model takes,
/// and only as many rows of logits at a time as it gives. One sequence; key-value blocks from 0 on.
class WindowScorer {
 public:
  /// Both must outlive the scorer. Rows are scored by the threads of the pool.
  WindowScorer(engine::StepModel& model, ThreadPool& pool);

  /// Adds the scores of tokens [first_counted, tokens.size()), first_counted >= 1. Throws what the model throws.
  void score(std::span<const int32_t> tokens, int64_t first_counted, Nll& nll);

 private:
  engine::StepModel& model_;
  engine::StepLimits limits_;
  ThreadPool& pool_;
  std::vector<int32_t> blocks_, rows_;
  std::vector<double> scores_;  // of a step's rows
};

}  // namespace cleave::app
