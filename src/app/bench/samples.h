#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "app/bench/op_kind.h"

namespace cleave::app {

double median(std::vector<double> values);

/// What is repeated and timed: a prefill of an empty context, or a step in which every sequence of a batch gets one
/// token behind `context` others.
struct BenchCase {
  bool prefill = false;
  int64_t tokens = 0;  // of the prefill, or steps of the decode
  int64_t batch = 1, context = 0;
};

/// Times of one case in one setting, on rank 0.
class Samples {
 public:
  /// Rates of the repetitions so far, in tokens per second.
  const std::vector<double>& rates() const { return rates_; }
  bool empty() const { return rates_.empty(); }
  double rate() const { return median(rates_); }
  /// (largest - smallest) / median.
  double spread() const;

  /// Seconds of the whole prefill, or of a step of the decode, in which every operation takes the shortest time that it
  /// has ever taken: on a busy machine, where nothing passes without an interruption, the figure to compare with
  /// predictions and limits. 0 where operations were not observed.
  double undisturbed_seconds() const;
  /// Seconds by kind of operation, medians over the repetitions; of the whole prefill, or of a step.
  std::array<double, kNumOpKinds> seconds_by_kind() const;

  /// The operations that are observed next are the first ones of a prefill or of a step.
  void begin() { next_ = 0; }
  void observe(OpKind kind, double seconds);
  /// Ends a repetition of `units` prefills or steps.
  void end_repetition(double tokens, double seconds, int64_t units);
  /// Forgets the repetition at hand: it was there to warm up.
  void drop_repetition() { kinds_ = {}; }

 private:
  std::vector<double> rates_;
  std::vector<double> shortest_;                // of each operation
  std::array<double, kNumOpKinds> kinds_ = {};  // of the repetition at hand
  std::vector<std::array<double, kNumOpKinds>> kinds_by_repetition_;
  size_t next_ = 0;
};

}  // namespace cleave::app
