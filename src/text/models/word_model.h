#pragma once

#include <memory>
#include <string>

#include "base/json_field.h"
#include "text/models/token_model.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// The parts of a WordPiece.
struct WordPieceParts {
  Vocabulary vocabulary;
  std::string unknown_token = "[UNK]";  // stands for a word that cannot be made of tokens
  std::string prefix = "##";            // begins a token that continues a word
  size_t max_characters = 100;          // a longer word becomes the unknown token
  std::string what;                     // names the file in errors
};

/// Makes a WordPiece (Devlin et al. 2018), which takes the longest token at each place of a word.
std::unique_ptr<TokenModel> make_word_piece_model(WordPieceParts parts);
/// Reads the `model` of a tokenizer.json whose type is WordPiece. Throws Error(Corrupt).
std::unique_ptr<TokenModel> read_word_piece_model(const JsonField& field);

/// Reads the `model` of a tokenizer.json whose type is WordLevel: a piece is a token as a whole. Throws Error(Corrupt).
std::unique_ptr<TokenModel> read_word_level_model(const JsonField& field);

}  // namespace cleave::text
