#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// The contents of a SentencePiece model file, as far as encoding needs them (google/sentencepiece,
/// src/sentencepiece_model.proto).
struct SentencePieceSpec {
  enum class Kind { Unigram = 1, Bpe = 2, Word = 3, Character = 4 };
  enum class Type { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };
  struct Piece {
    std::string text;
    float score = 0;
    Type type = Type::Normal;
  };

  Kind kind = Kind::Unigram;
  std::vector<Piece> pieces;  // [id]
  bool byte_fallback = false;
  bool add_dummy_prefix = true;          // a space is put before every text
  bool remove_extra_whitespaces = true;  // spaces at both ends and repeated ones are removed
  bool whitespace_as_suffix = false;     // the space of add_dummy_prefix is put at the end instead
  std::string charsmap;                  // precompiled replacements (charsmap.h)
};

/// Reads an untrusted SentencePiece model file. `what` names the file in errors. Throws Error(Corrupt), and
/// Error(Unsupported) for the kinds "word" and "char".
SentencePieceSpec read_sentencepiece(std::string_view bytes, const std::string& what);

}  // namespace cleave::text
