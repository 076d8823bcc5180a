#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/models/token_model.h"
#include "text/models/token_trie.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// What a byte-pair encoding without a list of merges is made of: two neighbours merge where what they form is a token,
/// and of several such pairs the one whose token has the highest score does so first. SentencePiece's BPE is such a
/// one, and so are tiktoken's vocabularies, with minus the rank for a score.
struct ScoreBpeParts {
  Vocabulary vocabulary;           // ids 0 to n - 1
  std::vector<float> scores;       // [n]
  std::vector<bool> mergeable;     // [n]: whether neighbours may become the token
  TokenTrie fixed;                 // tokens that are found first, the longest at each place, and merge with nothing
  std::optional<int32_t> unknown;  // stands for characters that are no token; one for several in a row
  bool byte_fallback = false;      // they become the tokens of their bytes instead
  bool ignore_merges = false;      // a piece that is a token is that token
  std::string what;                // names the file in errors
};

/// Throws Error(Unsupported) for tokens so long that all their parts cannot be looked at.
std::unique_ptr<TokenModel> make_score_bpe_model(ScoreBpeParts parts);

}  // namespace cleave::text
