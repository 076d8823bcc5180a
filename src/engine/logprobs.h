#pragma once

#include <cstdint>
#include <span>

#include "engine/choice.h"
#include "runtime/device/step.h"

namespace cleave::engine {

/// The logarithm of the softmax of a row of logits: what they say of each token's probability. Logits that are no
/// numbers count as -infinity. Borrows the logits.
class LogSoftmax {
 public:
  explicit LogSoftmax(std::span<const float> logits);

  /// REQUIRES: a token of the vocabulary.
  double of(int32_t token) const;
  /// The `count` most probable tokens, all of them where there are fewer, the most probable first; of equal ones the
  /// smaller id.
  std::vector<TokenLogprob> top(int count) const;

 private:
  std::span<const float> logits_;
  double largest_, log_sum_;  // of exp(logit - largest)
};

/// What the logits say of a token, beside the `count` most probable ones.
TokenLogprobs token_logprobs(std::span<const float> logits, int32_t token, int count);

/// The same of a row of which the largest logits are told, with the sum of exponentials of all (at scale 1), for a
/// token among them. REQUIRES: so many are told.
TokenLogprobs token_logprobs(const runtime::RowLogits& row, int32_t token, int count);

/// The first of the largest logits; -1 where none is a number: NaN and -infinity are passed over.
int32_t find_largest(std::span<const float> logits);

}  // namespace cleave::engine
