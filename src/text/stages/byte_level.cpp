#include "text/stages/byte_level.h"

#include <array>

#include "unicode/utf8.h"

namespace cleave::text {
namespace {

constexpr int kAlphabetEnd = 0x144;  // one beyond the last character of the alphabet

struct Alphabet {
  std::array<uint16_t, 256> character{};        // [byte]
  std::array<int16_t, kAlphabetEnd> byte{};     // [character]; -1 for none
  std::array<std::array<char, 2>, 256> utf8{};  // [byte]: the character in UTF-8
  std::array<uint8_t, 256> utf8_size{};         // [byte]: 1 or 2
};

constexpr bool is_printable_latin1(int byte) {
  return (0x21 <= byte && byte <= 0x7E) || (0xA1 <= byte && byte <= 0xAC) || byte >= 0xAE;
}

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  alphabet.byte.fill(-1);
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const int character = is_printable_latin1(byte) ? byte : next++;
    alphabet.character[byte] = static_cast<uint16_t>(character);
    alphabet.byte[character] = static_cast<int16_t>(byte);
    const bool ascii = character < 0x80;
    alphabet.utf8[byte] = {static_cast<char>(ascii ? character : 0xC0 | character >> 6),
                           static_cast<char>(0x80 | (character & 0x3F))};
    alphabet.utf8_size[byte] = ascii ? 1 : 2;
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

char32_t character_of_byte(uint8_t byte) {
  return kAlphabet.character[byte];
}

std::optional<uint8_t> byte_of_character(char32_t character) {
  if (character >= kAlphabetEnd || kAlphabet.byte[character] < 0) return std::nullopt;
  return static_cast<uint8_t>(kAlphabet.byte[character]);
}

void append_byte_level(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    out.append(kAlphabet.utf8[byte].data(), kAlphabet.utf8_size[byte]);
  }
}

void append_token_bytes(std::string_view token, std::string& out) {
  const size_t before = out.size();
  for (size_t i = 0; i < token.size();) {
    const unicode::Utf8Char c = unicode::utf8_at(token, i);
    const std::optional<uint8_t> byte = byte_of_character(c.code);
    if (!byte) {
      out.resize(before);
      out.append(token);
      return;
    }
    out.push_back(static_cast<char>(*byte));
    i += c.size;
  }
}

}  // namespace cleave::text
