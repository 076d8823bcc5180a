#pragma once

#include <cstdint>
#include <string>

namespace cleave::load {

/// A maker of texts without sense, of common English words, which most tokenizers take for a token each. The same seed
/// and index give the same text; texts of other indices differ from their first words on, so that no server has them
/// cached. Immutable.
class MadeUpText {
 public:
  /// `tokens_per_word`: what a server's tokenizer makes of them.
  explicit MadeUpText(uint64_t seed, double tokens_per_word = 1) : seed_(seed), tokens_per_word_(tokens_per_word) {}

  /// About as many tokens; one word at least.
  std::string of_tokens(int64_t tokens, uint64_t index) const;
  std::string of_words(int64_t words, uint64_t index) const;

 private:
  uint64_t seed_;
  double tokens_per_word_;
};

}  // namespace cleave::load
