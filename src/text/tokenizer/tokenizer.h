#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::text {

/// Text to token ids and back. Immutable and thread-safe: one object serves every request of a process.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids of `text`. Added tokens written in the text ("<|im_end|>") become their own ids. `add_special_tokens` adds
  /// what the tokenizer's post-processor puts around a text (a beginning-of-text token, for example). Bytes that are
  /// not UTF-8 count as U+FFFD. Throws Error(InvalidArgument) for a text that the tokenizer's own patterns cannot split
  /// within bounds.
  virtual std::vector<int32_t> encode(std::string_view text, bool add_special_tokens) const = 0;

  /// Text of `ids`, with U+FFFD for bytes that form no character. Ids outside the vocabulary add nothing.
  virtual std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const = 0;

  /// The bytes that the token adds to the text, possibly a part of a character: what streaming is made of
  /// (detokenizer.h).
  /// "" for an id outside the vocabulary. A special token gives its text.
  virtual std::string token_bytes(int32_t id) const = 0;

  /// Whether decode leaves the token out on request: control tokens such as "<|im_end|>".
  virtual bool is_special(int32_t id) const = 0;

  /// Id of a whole token as the vocabulary writes it, e.g. "<|im_end|>".
  virtual std::optional<int32_t> token_id(std::string_view token) const = 0;

  /// Largest id + 1; ids between may be unused.
  virtual int32_t vocab_size() const = 0;
};

}  // namespace cleave::text
