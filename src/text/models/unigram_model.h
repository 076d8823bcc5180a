#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_field.h"
#include "text/models/token_model.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// What a unigram language model is made of.
struct UnigramParts {
  Vocabulary vocabulary;           // ids 0 to n - 1
  std::vector<double> scores;      // [n]: log probabilities
  std::vector<bool> hidden;        // [n] or empty: tokens that no text becomes (SentencePiece's control tokens)
  std::optional<int32_t> unknown;  // stands for characters in a row that no token begins with
  double unknown_score = 0;        // log probability of such a character
  bool byte_fallback = false;      // they become the tokens of their bytes instead
  bool single_precision = false;   // adds scores in float as SentencePiece does, not in double as tokenizers does
  std::string what;                // names the file in errors
};

/// The most probable segmentation (Kudo 2018), found by the Viterbi algorithm in time linear in the text.
std::unique_ptr<TokenModel> make_unigram_model(UnigramParts parts);

/// Reads the `model` of a tokenizer.json whose type is Unigram. Throws Error(Corrupt).
std::unique_ptr<TokenModel> read_unigram_model(const JsonField& field);

}  // namespace cleave::text
