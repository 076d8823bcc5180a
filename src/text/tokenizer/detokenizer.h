#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace cleave::text {

/// A stream of bytes that becomes text: holds back the bytes of an unfinished UTF-8 character until it is complete, and
/// writes U+FFFD for bytes that cannot belong to a character. One object per stream; not thread-safe.
class Utf8Stream {
 public:
  /// Takes further bytes and returns the text that is certain by now, always whole characters.
  std::string push(std::string_view bytes);
  /// The rest of the text when no more bytes come: "", or U+FFFD for an unfinished character.
  std::string flush();

 private:
  std::string pending_;  // a proper prefix of one character
};

/// A decoder for one sequence of token ids that arrive one by one. All its texts together are what Tokenizer::decode
/// gives for the ids. The tokenizer must outlive it. Not thread-safe.
class Detokenizer {
 public:
  /// `skip_special_tokens`: whether special tokens add no text.
  explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special_tokens = true)
      : tokenizer_(tokenizer), skip_special_tokens_(skip_special_tokens) {}

  /// Takes the next id and returns the text that is certain by now: never half a character, often "".
  std::string push(int32_t id);
  /// The rest of the text at the end of the sequence.
  std::string flush();

 private:
  std::string push_first(int32_t id);

  const Tokenizer& tokenizer_;
  bool skip_special_tokens_;
  bool begun_ = false;         // whether there was text; before the first text, decoders treat spaces specially
  std::vector<int32_t> head_;  // tokens before the first text
  std::string head_bytes_;     // the bytes that these tokens would add in the midst of a text
  int32_t last_ = 0;           // the previous token
  bool space_waits_ = false;   // whether a space is held back, which is not written at the end of a text
  Utf8Stream stream_;
};

}  // namespace cleave::text
