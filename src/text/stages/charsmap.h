#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/stages/normalizer.h"

namespace cleave::text {

/// SentencePiece's precompiled replacements of characters: a double-array trie (darts-clone) of the strings to replace,
/// each with the place of its replacement in a list of texts that end in a zero byte
/// (google/sentencepiece, src/normalizer.cc, DecodePrecompiledCharsMap). Immutable and thread-safe.
class Charsmap {
 public:
  /// The replacement of a string, and how long that is in bytes.
  struct Replacement {
    std::string_view text;
    size_t size;
  };

  /// `blob`: the size of the trie in bytes (32 bits, little endian), the trie, the texts; may be empty. Throws
  /// Error(Corrupt), naming `what`.
  Charsmap(std::string_view blob, const std::string& what);

  std::optional<Replacement> shortest_at(std::string_view text) const { return find(text, false); }
  std::optional<Replacement> longest_at(std::string_view text) const { return find(text, true); }

 private:
  std::optional<Replacement> find(std::string_view text, bool longest) const;

  std::vector<uint32_t> units_;
  std::string texts_;
};

/// Normalizes as the tokenizers library does, which is not quite SentencePiece's way: a grapheme cluster of fewer than
/// six bytes is replaced as a whole by what its shortest beginning stands for, others character by character.
std::unique_ptr<Normalizer> make_precompiled_normalizer(Charsmap charsmap);

}  // namespace cleave::text
