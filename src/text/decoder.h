#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "text/json_field.h"

namespace cleave::text {

/// Tokens back to text. Immutable and thread-safe.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// The text of tokens in a row, always UTF-8.
  virtual std::string decode(std::span<const std::string_view> tokens) const = 0;
  /// The bytes that a token adds to the text.
  virtual std::string token_bytes(std::string_view token) const = 0;
};

/// Tokens written in GPT-2's printable alphabet of bytes.
std::unique_ptr<Decoder> make_byte_level_decoder();
/// For a tokenizer that has no decoder: tokens with a space between.
std::unique_ptr<Decoder> make_spacing_decoder();

/// Reads the `decoder` of a tokenizer.json: ByteLevel. Throws Error(Unsupported) for another type.
std::unique_ptr<Decoder> read_decoder(const JsonField& field);

}  // namespace cleave::text
