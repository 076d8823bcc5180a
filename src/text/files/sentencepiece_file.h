#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// What a SentencePiece model says (google/sentencepiece, src/sentencepiece_model.proto), as far as encoding needs it.
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
  bool add_dummy_prefix = true;          // a space before every text
  bool remove_extra_whitespaces = true;  // spaces at both ends, and repeated ones
  bool whitespace_as_suffix = false;     // the dummy prefix stands at the end
  std::string charsmap;                  // precompiled replacements (charsmap.h)
};

/// Reads an untrusted SentencePiece model. `what` names it in errors. Throws Error(Corrupt), or Unsupported for the
/// kinds "word" and "char".
SentencePieceSpec read_sentencepiece(std::string_view bytes, const std::string& what);

}  // namespace cleave::text
