#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/logit_rules.h"
#include "runtime/device/step.h"

namespace cleave::engine {

/// How the next token is chosen from the logits. The rules apply in the order of the members, as in Hugging Face's
/// generate().
struct SamplingParams {
  /// Logits of tokens that the sequence already holds, its prompt included, are divided by this where positive and
  /// multiplied where negative (CTRL, arXiv:1909.05858). 1 changes nothing.
  double repeat_penalty = 1;
  /// Logits of tokens that the answer holds are lowered by the first for each occurrence, and once by the second; 0
  /// changes nothing (OpenAI's frequency_penalty and presence_penalty: the prompt does not count).
  double frequency_penalty = 0, presence_penalty = 0;
  /// What is added to the logits of some tokens.
  std::vector<std::pair<int32_t, float>> logit_bias = {};
  /// Tokens that are forbidden or forced; null: none. Shared by copies, since many requests have the same.
  std::shared_ptr<const LogitRules> rules = {};
  /// The only tokens that may be chosen; empty: all.
  std::vector<int32_t> allowed = {};
  /// Logits are divided by this. 0 chooses the largest; the rules below then change nothing.
  double temperature = 0;
  /// Only that many of the most probable tokens remain; 0 keeps all.
  int64_t top_k = 0;
  /// Of those, the fewest most probable ones that together have this probability (arXiv:1904.09751); 1 keeps all.
  double top_p = 1;
  /// Of those, the ones with at least this fraction of the largest probability (arXiv:2407.01082); 0 keeps all.
  double min_p = 0;
  /// What random numbers are made of, beside the place in the sequence: answers to one prompt differ by their index.
  uint64_t seed = 0, index = 0;
};

/// Throws Error(InvalidArgument) naming the value that is out of range.
void check(const SamplingParams& params);
/// Throws Error(InvalidArgument) for a token of biases, rules or allowed ones that is outside the vocabulary.
void check_ids(const SamplingParams& params, int64_t vocab_size);

/// A token that may be chosen.
struct Candidate {
  double weight;  // probability, but for a common factor; the largest is 1
  float logit;
  int32_t id;
};

/// Memory in which tokens are chosen, used again for every one. Of one thread.
struct SamplingScratch {
  std::vector<float> changed = {};         // [vocab]: logits under penalties and rules
  std::vector<int32_t> counts = {};        // [vocab]: how often the answer holds a token; 0 between calls
  std::vector<uint32_t> allowed = {};      // a bit for each token
  std::vector<int32_t> places = {};        // [vocab]: 1 + the place of a candidate; 0 between calls
  std::vector<Candidate> candidates = {};  // by id, or by probability once a rule has sorted them
};

/// The chooser of one sequence's tokens. Parameters, logits and history alone decide, on every machine alike: random
/// numbers are those of random.h, and ties go to the smaller id. Immutable, so that any thread may call it.
class Sampler {
 public:
  /// Throws as check() does.
  explicit Sampler(const SamplingParams& params);

  /// The token that follows `history`. Logits [vocab] and history are borrowed for the call. Throws Error(Corrupt)
  /// where no logit is a number: NaN and -infinity are never chosen; InvalidArgument where rules and constraints leave
  /// no token.
  int32_t sample(std::span<const float> logits, const History& history, SamplingScratch& scratch) const;

  /// What of a row of logits choose() needs as a rule; `is_masked`: whether History::allowed will say something.
  runtime::LogitsWish wish(bool is_masked) const;
  /// The token that sample() would choose, from what wish() wants of the logits. Nothing where that does not suffice to
  /// tell, or where there is no token.
  std::optional<int32_t> choose(const runtime::RowLogits& row, const History& history, SamplingScratch& scratch) const;

 private:
  bool raises_logits() const;
  bool keep_told(const runtime::RowLogits& row, bool changed, std::vector<Candidate>& candidates) const;
  bool changes_logits(const History& history) const;
  std::span<const float> change(std::span<const float> logits, const History& history, SamplingScratch& scratch) const;
  void punish(std::span<const int32_t> answer, SamplingScratch& scratch) const;
  void forbid(const History& history, SamplingScratch& scratch) const;
  void collect(std::span<const float> logits, std::vector<Candidate>& candidates) const;
  void keep_top_k(std::vector<Candidate>& candidates) const;
  double weight_of(float logit, float top) const;
  bool keep_top_p(std::vector<Candidate>& candidates, double total) const;
  int32_t draw(std::span<const Candidate> candidates, uint64_t position) const;

  SamplingParams params_;
};

}  // namespace cleave::engine
