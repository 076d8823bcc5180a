#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cleave::text {

/// GPT-2's printable alphabet of bytes (openai/gpt-2, src/encoder.py, bytes_to_unicode): printable Latin-1 characters
/// stand for themselves, the other 68 bytes for U+0100 to U+0143. A space becomes "Ġ" (U+0120).
char32_t character_of_byte(uint8_t byte);

/// The byte that a character of the alphabet stands for; nothing for other characters.
std::optional<uint8_t> byte_of_character(char32_t character);

/// Appends the alphabet's text for the bytes of `text`.
void append_byte_level(std::string_view text, std::string& out);

/// Appends the bytes that a token stands for: those of its characters, or, if one is not of the alphabet, its text as
/// it is.
void append_token_bytes(std::string_view token, std::string& out);

}  // namespace cleave::text
