#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_field.h"

namespace cleave::text {

/// A step from tokens back to text. Immutable and thread-safe.
class DecoderStep {
 public:
  virtual ~DecoderStep() = default;
  /// Rewrites the tokens of a whole text; may join some.
  virtual void apply(std::vector<std::string>& tokens) const = 0;
  /// Rewrites one token from the midst of a text to the bytes that it adds.
  virtual void apply_to_bytes(std::string& token) const = 0;
};

/// Tokens back to text. Immutable and thread-safe.
class Decoder {
 public:
  explicit Decoder(std::unique_ptr<DecoderStep> steps) : steps_(std::move(steps)) {}
  /// The text of tokens in a row, always UTF-8.
  std::string decode(std::span<const std::string_view> tokens) const;
  /// The bytes that a token adds to the text, where it is not the first.
  std::string token_bytes(std::string_view token) const;

 private:
  std::unique_ptr<DecoderStep> steps_;
};

/// Tokens written in GPT-2's printable alphabet of bytes.
std::unique_ptr<DecoderStep> make_byte_level_step();
/// For a tokenizer that has no decoder: tokens with a space between.
std::unique_ptr<DecoderStep> make_spacing_step();
/// SentencePiece's tokens: "▁" is a space, "<0xE2>" a byte; of a text's leading spaces, `strip` vanish.
std::unique_ptr<DecoderStep> make_sentencepiece_step(size_t strip);
/// Tokens of WordPiece: those with the prefix go on with a word. `cleanup` takes spaces before punctuation away.
std::unique_ptr<DecoderStep> make_word_piece_step(std::string prefix, bool cleanup);

/// Reads the `decoder` of a tokenizer.json. Throws Error(Unsupported) for a type that is not known.
std::unique_ptr<DecoderStep> read_decoder(const JsonField& field);

}  // namespace cleave::text
