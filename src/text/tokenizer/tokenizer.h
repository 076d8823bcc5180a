#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// A tokenizer: turns text into token ids and back. Immutable and thread-safe, so one object serves every request of a
/// process.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// The ids of a text. Added tokens that are written in the text ("<|im_end|>") become their own ids.
  /// `add_special_tokens` adds the tokens that the tokenizer puts around a text, for example one for its beginning.
  /// Bytes that are not UTF-8 count as U+FFFD. Throws Error(InvalidArgument) if the tokenizer's own patterns need more
  /// steps for the text than they are allowed.
  virtual std::vector<int32_t> encode(std::string_view text, bool add_special_tokens) const = 0;

  /// The text of `ids`, with U+FFFD for bytes that form no character. Ids outside the vocabulary add nothing.
  virtual std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const = 0;

  /// The bytes that a token adds in the midst of a text, possibly only a part of a character; Detokenizer joins them. A
  /// special token adds its own text, an id outside the vocabulary "".
  virtual std::string token_bytes(int32_t id) const = 0;

  /// Whether a token is special, such as "<|im_end|>", so that decode leaves it out on request.
  virtual bool is_special(int32_t id) const = 0;

  /// The id of a token as the vocabulary writes it ("<|im_end|>"); nothing for a text that is no token.
  virtual std::optional<int32_t> token_id(std::string_view token) const = 0;

  /// Largest id + 1. Smaller ids may be unused.
  virtual int32_t vocab_size() const = 0;
};

}  // namespace cleave::text
