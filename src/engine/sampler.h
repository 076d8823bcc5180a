#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "engine/logit_rules.h"

namespace cleave::engine {

/// How the next token is chosen from the logits. The rules apply in the order of the members, as in Hugging Face's
/// generate().
struct SamplingParams {
  /// Logits of tokens that the sequence already holds, its prompt included, are divided by this where positive and
  /// multiplied where negative (CTRL, arXiv:1909.05858). 1 changes nothing.
  double repeat_penalty = 1;
  /// Tokens that are forbidden or forced; null: none. Shared by copies, since many requests have the same.
  std::shared_ptr<const LogitRules> rules = {};
  /// Logits are divided by this. 0 chooses the largest; the rules below then change nothing.
  double temperature = 0;
  /// Only that many of the most probable tokens remain; 0 keeps all.
  int64_t top_k = 0;
  /// Of those, the fewest most probable ones that together have this probability (arXiv:1904.09751); 1 keeps all.
  double top_p = 1;
  /// Of those, the ones with at least this fraction of the largest probability (arXiv:2407.01082); 0 keeps all.
  double min_p = 0;
  uint64_t seed = 0;
};

/// Throws Error(InvalidArgument) naming the value that is out of range.
void check(const SamplingParams& params);

/// The chooser of one sequence's tokens. Parameters, logits and history alone decide, on every machine alike: random
/// numbers are taken from mt19937_64 by our own rule, and ties go to the smaller id. Not thread-safe.
class Sampler {
 public:
  /// Throws as check() does.
  explicit Sampler(const SamplingParams& params);

  /// The token that follows `history`. Logits [vocab] and history are borrowed for the call. Throws Error(Corrupt)
  /// where no logit is a number: NaN and -infinity are never chosen; InvalidArgument where the rules leave no token.
  int32_t sample(std::span<const float> logits, const History& history);

 private:
  struct Candidate {
    double weight;  // probability, but for a common factor; the largest is 1
    float logit;
    int32_t id;
  };
  static bool more_probable(const Candidate& a, const Candidate& b);

  std::span<const float> change(std::span<const float> logits, const History& history);
  void collect(std::span<const float> logits);
  void keep_top_k();
  void keep_top_p();
  void keep_min_p();
  int32_t draw();
  double total_weight() const;

  SamplingParams params_;
  std::mt19937_64 random_;
  std::vector<float> changed_;         // [vocab]: logits under the penalty and the rules
  std::vector<Candidate> candidates_;  // by id, or by probability once a rule has sorted them
};

}  // namespace cleave::engine
