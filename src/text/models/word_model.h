#pragma once

#include <memory>
#include <string>

#include "base/json_field.h"
#include "text/models/token_model.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// What a WordPiece is made of.
struct WordPieceParts {
  Vocabulary vocabulary;
  std::string unknown_token = "[UNK]";  // stands for a word that cannot be made of tokens
  std::string prefix = "##";            // begins a token that goes on with a word
  size_t max_characters = 100;          // longer words are unknown
  std::string what;                     // names the file in errors
};

/// WordPiece (Devlin et al. 2018): at each place of a word the longest token there is.
std::unique_ptr<TokenModel> make_word_piece_model(WordPieceParts parts);
/// Reads the `model` of a tokenizer.json whose type is WordPiece. Throws Error(Corrupt).
std::unique_ptr<TokenModel> read_word_piece_model(const JsonField& field);

/// WordLevel: a whole piece is a token. Reads the `model` of a tokenizer.json. Throws Error(Corrupt).
std::unique_ptr<TokenModel> read_word_level_model(const JsonField& field);

}  // namespace cleave::text
