#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cleave::unicode {

constexpr char32_t kReplacementCharacter = 0xFFFD;

/// One character of a text: its code point and its length in bytes.
struct Utf8Char {
  char32_t code;
  uint8_t size;
};

/// The character at `position` (< text.size()). Where the bytes there form none, U+FFFD with the size of the longest
/// beginning of a character that stands there, at least 1 (Unicode 15, section 3.9, "maximal subpart"; what Rust and
/// browsers do).
Utf8Char utf8_at(std::string_view text, size_t position);

/// As utf8_at, for text that is known to be UTF-8: no checks.
Utf8Char valid_utf8_at(std::string_view text, size_t position);

/// Whether every byte belongs to a well-formed character.
bool is_utf8(std::string_view text);

/// The text with U+FFFD for each maximal subpart that forms no character.
std::string sanitize_utf8(std::string_view text);

/// Number of bytes at the end that begin a character and need further bytes to complete it: 0 to 3.
size_t unfinished_suffix(std::string_view text);

/// Appends the UTF-8 form of a code point; U+FFFD for surrogates and numbers beyond U+10FFFF.
void append_utf8(std::string& text, char32_t code);

}  // namespace cleave::unicode
