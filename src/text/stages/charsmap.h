#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/stages/normalizer.h"

namespace cleave::text {

/// SentencePiece's precompiled table of replacements for characters: a double-array trie (darts-clone) of the strings
/// to replace, which gives the offset of each replacement in a list of texts that end in a zero byte
/// (google/sentencepiece, src/normalizer.cc, DecodePrecompiledCharsMap). Immutable and thread-safe.
class Charsmap {
 public:
  /// A replacement and the string that it replaces. The view borrows from the charsmap.
  struct Replacement {
    std::string_view text;
    size_t size;  // of the replaced string, in bytes
  };

  /// Reads an untrusted table: the size of the trie in bytes (32 bits, little endian), the trie, the texts. An empty
  /// one replaces nothing. `what` names it in errors. Throws Error(Corrupt).
  Charsmap(std::string_view blob, const std::string& what);

  // The replacement of the shortest or longest string with which the text begins; nothing if there is none.
  std::optional<Replacement> shortest_at(std::string_view text) const { return find(text, false); }
  std::optional<Replacement> longest_at(std::string_view text) const { return find(text, true); }

 private:
  std::optional<Replacement> find(std::string_view text, bool longest) const;

  std::vector<uint32_t> units_;
  std::string texts_;
};

/// The normalizer Precompiled of the tokenizers library, which differs from SentencePiece. A grapheme cluster of fewer
/// than six bytes is replaced as a whole by the replacement of its shortest beginning; a longer cluster is replaced
/// character by character.
std::unique_ptr<Normalizer> make_precompiled_normalizer(Charsmap charsmap);

}  // namespace cleave::text
