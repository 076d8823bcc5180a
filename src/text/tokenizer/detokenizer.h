#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace cleave::text {

/// Keeps back the bytes of an unfinished UTF-8 character until it is complete, and writes U+FFFD for bytes of which it
/// is certain that they belong to no character. One object per stream; not thread-safe.
class Utf8Stream {
 public:
  /// Text that is certain after these further bytes; always whole characters.
  std::string push(std::string_view bytes);
  /// What is left when no more bytes come: "" or one U+FFFD for an unfinished character.
  std::string flush();

 private:
  std::string pending_;  // a proper prefix of one character
};

/// Turns the token ids of one sequence into text as they come: in all, what Tokenizer::decode gives for them. Special
/// tokens add nothing unless asked for. The tokenizer must outlive it. Not thread-safe.
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special_tokens = true)
      : tokenizer_(tokenizer), skip_special_tokens_(skip_special_tokens) {}

  /// Text that is certain after this token: never half a character, often "".
  std::string push(int32_t id);
  /// The rest at the end of the sequence.
  std::string flush();

 private:
  std::string push_first(int32_t id);

  const Tokenizer& tokenizer_;
  bool skip_special_tokens_;
  bool begun_ = false;         // whether text has come; before, decoders treat spaces in their own way
  std::vector<int32_t> head_;  // tokens until then
  std::string head_bytes_;     // what they would add in the midst of a text
  int32_t last_ = 0;           // token before
  bool space_waits_ = false;   // a space that is not written at the end of a text
  Utf8Stream stream_;
};

}  // namespace cleave::text
