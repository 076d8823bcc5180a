#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_field.h"
#include "text/models/token_model.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// The parts of a unigram language model.
struct UnigramParts {
  Vocabulary vocabulary;           // ids 0 to n - 1
  std::vector<double> scores;      // [n]: log probabilities
  std::vector<bool> hidden;        // [n] or empty: whether no text becomes the token (SentencePiece's control tokens)
  std::optional<int32_t> unknown;  // stands for a row of characters that belong to no token
  double unknown_score = 0;        // log probability of a character that belongs to no token
  bool byte_fallback = false;      // characters that belong to no token become the tokens of their bytes instead
  bool single_precision = false;   // scores are added in float, as SentencePiece does, not in double as tokenizers does
  std::string what;                // names the file in errors
};

/// Makes the model, which cuts a piece into its most probable tokens (Kudo 2018) by the Viterbi algorithm, in time
/// linear in the piece.
std::unique_ptr<TokenModel> make_unigram_model(UnigramParts parts);

/// Reads the `model` of a tokenizer.json whose type is Unigram. Throws Error(Corrupt).
std::unique_ptr<TokenModel> read_unigram_model(const JsonField& field);

}  // namespace cleave::text
