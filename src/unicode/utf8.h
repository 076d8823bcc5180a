#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cleave::unicode {

/// U+FFFD, which stands for bytes that form no character.
constexpr char32_t kReplacementCharacter = 0xFFFD;

/// One character of a text: its code point and its length in bytes.
struct Utf8Char {
  char32_t code;
  uint8_t size;
};

/// The character at `position`. Bytes that form no character give U+FFFD with the size of their "maximal subpart", the
/// longest beginning of a character, at least 1 (Unicode 15, section 3.9; Rust and browsers do the same).
/// REQUIRES: position < text.size().
Utf8Char utf8_at(std::string_view text, size_t position);

/// The character at `position` of a text that is known to be UTF-8, which saves the checks.
Utf8Char valid_utf8_at(std::string_view text, size_t position);

/// Whether every byte belongs to a well-formed character.
bool is_utf8(std::string_view text);

/// The text with U+FFFD in place of each maximal subpart (utf8_at) that forms no character.
std::string sanitize_utf8(std::string_view text);

/// Number of bytes at the end of the text, 0 to 3, that begin a character which further bytes may complete.
size_t unfinished_suffix(std::string_view text);

/// Appends a code point in UTF-8; surrogates and numbers beyond U+10FFFF become U+FFFD.
void append_utf8(std::string& text, char32_t code);

}  // namespace cleave::unicode
