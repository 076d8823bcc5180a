#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace cleave::engine {

/// What is known of a sequence when its next token is chosen. Borrows all lists.
struct History {
  std::span<const int32_t> tokens = {};                        // of the prompt and the answer so far
  int64_t prompt_length = 0;                                   // tokens that precede the answer
  int64_t length_limit = std::numeric_limits<int64_t>::max();  // the sequence ends with that many tokens
  std::span<const int32_t> end_tokens = {};                    // that end the answer
  std::span<const uint32_t> allowed = {};                      // a bit for each token that may come; empty: all may

  /// Tokens of the answer so far.
  std::span<const int32_t> answer() const {
    return tokens.subspan(std::min(tokens.size(), static_cast<size_t>(prompt_length)));
  }
  /// REQUIRES: `allowed` is not empty.
  bool allows(int32_t token) const { return (allowed[static_cast<size_t>(token) / 32] >> token % 32 & 1) != 0; }
};

/// Rules that forbid tokens or force them, whether the choice is greedy or not. They are those of Hugging Face's
/// generate() (transformers/generation/logits_process.py), and apply in the order of the members, as there.
struct LogitRules {
  /// No sequence of that many tokens occurs twice; 0 allows all.
  int64_t no_repeat_ngram = 0;
  /// Sequences of tokens that must not occur. One that is nothing but an end token is passed over.
  std::vector<std::vector<int32_t>> bad_words = {};
  /// End tokens are forbidden while the sequence is shorter than the first, or the answer than the second.
  int64_t min_length = 0, min_new_tokens = 0;
  /// The token behind a prompt of one token.
  std::optional<int32_t> forced_first = {};
  /// The tokens to choose among where a sequence has room for one more.
  std::vector<int32_t> forced_last = {};
  /// Tokens that must not occur, and that must not begin an answer. Ids outside the vocabulary do nothing.
  std::vector<int32_t> suppress = {}, begin_suppress = {};

  bool any() const;
  /// Changes the logits of all tokens [vocab] for the next one.
  void apply(std::span<float> logits, const History& history) const;
};

/// Throws Error(InvalidArgument) for a length below 0 or an empty sequence among the bad words.
void check(const LogitRules& rules);
/// Throws Error(InvalidArgument) for a forced token or one of a bad word that is outside the vocabulary.
void check_ids(const LogitRules& rules, int64_t vocab_size);

}  // namespace cleave::engine
