#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/models/token_model.h"
#include "text/models/token_trie.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// The parts of a byte-pair encoding that has no list of merges. Two neighbours merge if the text of both together is a
/// token; of several such pairs, the one whose token has the highest score merges first. SentencePiece's BPE works like
/// this, and so do tiktoken's vocabularies, where the score is minus the rank.
struct ScoreBpeParts {
  Vocabulary vocabulary;           // ids 0 to n - 1
  std::vector<float> scores;       // [n]
  std::vector<bool> mergeable;     // [n]: whether neighbours may become the token
  TokenTrie fixed;                 // tokens that are found before any merge, the longest at each place, and never merge
  std::optional<int32_t> unknown;  // stands for a row of characters that are no tokens
  bool byte_fallback = false;      // characters that are no tokens become the tokens of their bytes instead
  bool ignore_merges = false;      // a piece that is a token becomes that token, whatever the merges say
  std::string what;                // names the file in errors
};

/// Makes the model. Throws Error(Unsupported) for tokens so long that finding their merges would take too much time.
std::unique_ptr<TokenModel> make_score_bpe_model(ScoreBpeParts parts);

}  // namespace cleave::text
