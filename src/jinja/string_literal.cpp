#include "jinja/string_literal.h"

#include <charconv>
#include <cstdint>

#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// Reads `count` hexadecimal digits from `at`; false if there are fewer.
bool read_hex(std::string_view literal, size_t at, size_t count, uint32_t& code) {
  if (at + count > literal.size()) return false;
  const char* begin = literal.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + count, code, 16);
  return error == std::errc() && end == begin + count;
}

// Reads up to three octal digits and returns their number.
size_t read_octal(std::string_view literal, size_t at, uint32_t& code) {
  size_t count = 0;
  for (; count < 3 && at + count < literal.size() && literal[at + count] >= '0' && literal[at + count] <= '7'; ++count)
    code = code * 8 + static_cast<uint32_t>(literal[at + count] - '0');
  return count;
}

}  // namespace

bool read_string_literal(std::string_view literal, std::string& text) {
  constexpr std::string_view kNames = "abfnrtv\\'\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";
  for (size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\' || i + 1 == literal.size()) {
      text.push_back(literal[i]);
      continue;
    }
    const char c = literal[++i];
    uint32_t code = 0;
    if (const size_t known = kNames.find(c); known != std::string_view::npos) {
      text.push_back(kMeanings[known]);
    } else if (c == '\n') {
      continue;  // the literal continues in the next line
    } else if (const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0; digits > 0) {
      if (!read_hex(literal, i + 1, digits, code)) return false;
      unicode::append_utf8(text, code);
      i += digits;
    } else if (const size_t octal = read_octal(literal, i, code); octal > 0) {
      unicode::append_utf8(text, code);
      i += octal - 1;
    } else {
      text.push_back('\\');
      text.push_back(c);
    }
  }
  return true;
}

}  // namespace cleave::jinja
