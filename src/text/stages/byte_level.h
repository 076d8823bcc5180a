#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cleave::text {

// GPT-2's alphabet of 256 printable characters, one for each byte (openai/gpt-2, src/encoder.py, bytes_to_unicode). The
// printable characters of Latin-1 stand for their own byte; U+0100 to U+0143 stand for the other 68 bytes. The
// character of a space is "Ġ" (U+0120).

/// The character of a byte.
char32_t character_of_byte(uint8_t byte);

/// The byte of a character; nothing for a character outside of the alphabet.
std::optional<uint8_t> byte_of_character(char32_t character);

/// Appends the characters of all bytes of `text`, in UTF-8.
void append_byte_level(std::string_view text, std::string& out);

/// Appends the bytes of a token's characters. A token with a character outside of the alphabet is appended as it is,
/// because it was added to the vocabulary as plain text.
void append_token_bytes(std::string_view token, std::string& out);

}  // namespace cleave::text
