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
  /// Rewrites the tokens of a whole text and may join some of them.
  virtual void apply(std::vector<std::string>& tokens) const = 0;
  /// Rewrites one token, not the first of a text, to the bytes that it adds to the text.
  virtual void apply_to_bytes(std::string& token) const = 0;
};

/// A decoder: turns tokens back to text by its steps. Immutable and thread-safe.
class Decoder {
 public:
  explicit Decoder(std::unique_ptr<DecoderStep> steps) : steps_(std::move(steps)) {}
  /// The text of the tokens of a whole text, always UTF-8.
  std::string decode(std::span<const std::string_view> tokens) const;
  /// The bytes that a token, not the first of a text, adds to the text.
  std::string token_bytes(std::string_view token) const;

 private:
  std::unique_ptr<DecoderStep> steps_;
};

/// A step for tokens that are written in GPT-2's alphabet of bytes (byte_level.h).
std::unique_ptr<DecoderStep> make_byte_level_step();
/// A step for a tokenizer that has no decoder: puts a space between tokens.
std::unique_ptr<DecoderStep> make_spacing_step();
/// A step for SentencePiece's tokens, in which "▁" is a space and "<0xE2>" a byte. Of the spaces at the beginning of a
/// text, up to `strip` are left out.
std::unique_ptr<DecoderStep> make_sentencepiece_step(size_t strip);
/// A step for tokens of WordPiece, of which those with the prefix continue a word. `cleanup` leaves out the spaces that
/// English does not write, such as those before punctuation.
std::unique_ptr<DecoderStep> make_word_piece_step(std::string prefix, bool cleanup);

/// Reads the `decoder` of a tokenizer.json. Throws Error(Unsupported) for an unknown type, Error(Corrupt).
std::unique_ptr<DecoderStep> read_decoder(const JsonField& field);

}  // namespace cleave::text
