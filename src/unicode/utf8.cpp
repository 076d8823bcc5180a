#include "unicode/utf8.h"

#include <algorithm>
#include <cstring>

namespace cleave::unicode {
namespace {

// The length of the character that a lead byte announces; 0 for any other byte. C0, C1 and bytes from F5 on never
// occur.
int announced_size(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

// Whether `byte` may follow the lead byte. Excludes overlong forms, surrogates and code points beyond U+10FFFF
// (Unicode 15, table 3-7).
bool is_second(uint8_t lead, uint8_t byte) {
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return low <= byte && byte <= high;
}

// Number of bytes at `position` that form a character or a proper beginning of one.
int matching_bytes(std::string_view text, size_t position, int announced) {
  const auto lead = static_cast<uint8_t>(text[position]);
  const int available = static_cast<int>(std::min<size_t>(announced, text.size() - position));
  for (int i = 1; i < available; ++i) {
    const auto byte = static_cast<uint8_t>(text[position + i]);
    if (i == 1 ? !is_second(lead, byte) : (byte & 0xC0) != 0x80) return i;
  }
  return available;
}

// The number of ASCII bytes from `position` on, looked at eight at a time because prose is mostly ASCII.
size_t skip_ascii(std::string_view text, size_t position) {
  while (position + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + position, 8);
    if (word & 0x8080808080808080u) break;
    position += 8;
  }
  return position;
}

}  // namespace

Utf8Char valid_utf8_at(std::string_view text, size_t position) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[position + i])); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

Utf8Char utf8_at(std::string_view text, size_t position) {
  const int announced = announced_size(static_cast<uint8_t>(text[position]));
  if (announced == 0) return {kReplacementCharacter, 1};
  const int matching = matching_bytes(text, position, announced);
  if (matching < announced) return {kReplacementCharacter, static_cast<uint8_t>(matching)};
  return valid_utf8_at(text, position);
}

bool is_utf8(std::string_view text) {
  for (size_t i = skip_ascii(text, 0); i < text.size(); i = skip_ascii(text, i)) {
    const int announced = announced_size(static_cast<uint8_t>(text[i]));
    if (announced == 0 || matching_bytes(text, i, announced) < announced) return false;
    i += announced;
  }
  return true;
}

std::string sanitize_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string clean;
  clean.reserve(text.size() + 16);
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = utf8_at(text, i);
    append_utf8(clean, c.code);
    i += c.size;
  }
  return clean;
}

size_t unfinished_suffix(std::string_view text) {
  for (size_t length = 1; length <= std::min<size_t>(3, text.size()); ++length) {
    const size_t position = text.size() - length;
    const int announced = announced_size(static_cast<uint8_t>(text[position]));
    if (announced == 0) continue;
    if (announced <= static_cast<int>(length)) return 0;
    return matching_bytes(text, position, announced) == static_cast<int>(length) ? length : 0;
  }
  return 0;
}

void append_utf8(std::string& text, char32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = kReplacementCharacter;
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xE0 | code >> 12);
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
    }
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

}  // namespace cleave::unicode
