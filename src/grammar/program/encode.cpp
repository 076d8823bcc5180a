#include "grammar/program/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "unicode/utf8.h"

namespace cleave::grammar {
namespace {

constexpr std::string_view kShortEscapes = "\"\\\b\f\n\r\t";
constexpr std::string_view kShortLetters = "\"\\bfnrt";

// The last code points whose UTF-8 has one, two and three bytes.
constexpr std::array<char32_t, 3> kLastOfLength{0x7F, 0x7FF, 0xFFFF};

std::string utf8(char32_t code) {
  std::string text;
  unicode::append_utf8(text, code);
  return text;
}

// Edges for the characters of a range, split so that in each part every byte but the first that differs takes all
// values (as in RE2's compiler).
void split_utf8(ProgramBuilder& builder, uint32_t from, CodePoints::Range range, uint32_t to) {
  for (const char32_t last : kLastOfLength)
    if (range.first <= last && range.last > last) {
      split_utf8(builder, from, {range.first, last}, to);
      return split_utf8(builder, from, {last + 1, range.last}, to);
    }
  const std::string low = utf8(range.first), high = utf8(range.last);
  for (size_t i = 1; i < low.size(); ++i) {
    const char32_t block = (char32_t{1} << (6 * i)) - 1;
    if ((range.first | block) == (range.last | block)) continue;
    const char32_t cut = (range.first & block) != 0 ? range.first | block : (range.last & ~block) - 1;
    if ((range.first & block) == 0 && (range.last & block) == block) continue;
    split_utf8(builder, from, {range.first, cut}, to);
    return split_utf8(builder, from, {cut + 1, range.last}, to);
  }
  for (size_t i = 0; i < low.size(); ++i) {
    const uint32_t next = i + 1 == low.size() ? to : builder.add_node();
    builder.bytes(from, static_cast<uint8_t>(low[i]), static_cast<uint8_t>(high[i]), next);
    from = next;
  }
}

void add_utf8(ProgramBuilder& builder, uint32_t from, const CodePoints& set, uint32_t to) {
  for (const CodePoints::Range& range : set.ranges()) split_utf8(builder, from, range, to);
}

CodePoints to_escape() {
  return CodePoints({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}});
}

std::string escape(char32_t code) {
  const size_t index = code < 0x80 ? kShortEscapes.find(static_cast<char>(code)) : std::string_view::npos;
  if (index != std::string_view::npos) return {'\\', kShortLetters[index]};
  return fmt::format("\\u{:04x}", static_cast<uint32_t>(code));
}

// A text whose beginnings are shared with texts added before.
void add_shared(ProgramBuilder& builder, std::map<std::string, uint32_t>& nodes, const std::string& text, uint32_t to) {
  for (size_t i = 0; i < text.size(); ++i) {
    const uint32_t from = nodes.at(text.substr(0, i));
    const auto byte = static_cast<uint8_t>(text[i]);
    if (i + 1 == text.size()) return builder.bytes(from, byte, byte, to);
    const auto [node, is_new] = nodes.try_emplace(text.substr(0, i + 1));
    if (!is_new) continue;
    node->second = builder.add_node();
    builder.bytes(from, byte, byte, node->second);
  }
}

}  // namespace

void add_characters(ProgramBuilder& builder, uint32_t from, const CodePoints& set, Encoding encoding, uint32_t to) {
  if (encoding == Encoding::Utf8) return add_utf8(builder, from, set, to);
  const CodePoints escaped = to_escape();
  add_utf8(builder, from, set.without(escaped), to);
  std::map<std::string, uint32_t> nodes{{"", from}};  // by what has been written
  for (const CodePoints::Range& range : escaped.ranges())
    for (char32_t code = range.first; code <= range.last; ++code)
      if (set.contains(code)) add_shared(builder, nodes, escape(code), to);
}

std::string json_spelling(std::string_view text) {
  const CodePoints escaped = to_escape();
  std::string spelled;
  for (const char byte : text) {
    const bool ascii = static_cast<uint8_t>(byte) < 0x80;
    if (ascii && escaped.contains(static_cast<char32_t>(byte)))
      spelled += escape(static_cast<char32_t>(byte));
    else
      spelled += byte;
  }
  return spelled;
}

std::string json_quoted(std::string_view text) {
  return fmt::format("\"{}\"", json_spelling(text));
}

namespace {

// A hexadecimal digit of value first to last, in both cases.
void add_digit(ProgramBuilder& builder, uint32_t from, int first, int last, uint32_t to) {
  if (first <= 9) builder.bytes(from, '0' + first, '0' + std::min(last, 9), to);
  if (last < 10) return;
  for (const char base : {'a', 'A'}) builder.bytes(from, base + std::max(first, 10) - 10, base + last - 10, to);
}

void add_digits(ProgramBuilder& builder, uint32_t from, int count, uint32_t to) {
  for (int i = 0; i < count; ++i) {
    const uint32_t next = i + 1 == count ? to : builder.add_node();
    add_digit(builder, from, 0, 15, next);
    from = next;
  }
}

// "u" and four digits of a code point; for one outside the first plane, two surrogates.
void add_unicode_escape(ProgramBuilder& builder, uint32_t from, uint32_t to) {
  const uint32_t digits = builder.add_node(), d = builder.add_node(), second = builder.add_node();
  builder.literal(from, "u", digits);
  const uint32_t three = builder.add_node(), two = builder.add_node();
  for (const auto& [first, last] : {std::pair(0, 12), std::pair(14, 15)})
    add_digit(builder, digits, first, last, three);
  add_digit(builder, digits, 13, 13, d);
  add_digit(builder, d, 0, 7, two);
  add_digits(builder, three, 3, to);
  add_digits(builder, two, 2, to);
  const uint32_t high = builder.add_node(), low = builder.add_node(), low_digits = builder.add_node();
  add_digit(builder, d, 8, 11, high);
  add_digits(builder, high, 2, second);
  builder.literal(second, "\\ud", low);
  builder.literal(second, "\\uD", low);
  add_digit(builder, low, 12, 15, low_digits);
  add_digits(builder, low_digits, 2, to);
}

}  // namespace

void add_any_json_character(ProgramBuilder& builder, uint32_t from, uint32_t to) {
  add_utf8(builder, from, to_escape().inverted(), to);
  const uint32_t escaped = builder.add_node();
  builder.literal(from, "\\", escaped);
  for (const char letter : std::string_view("\"\\/bfnrt")) builder.bytes(escaped, letter, letter, to);
  add_unicode_escape(builder, escaped, to);
}

}  // namespace cleave::grammar
