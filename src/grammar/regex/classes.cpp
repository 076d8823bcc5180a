#include "grammar/regex/classes.h"

#include <utility>

#include "unicode/classes.h"

namespace cleave::grammar {
namespace {

constexpr char32_t kEnd = 0x110000;

template <class Belongs>
CodePoints all_that(Belongs belongs) {
  std::vector<CodePoints::Range> ranges;
  for (char32_t code = 0; code < kEnd; ++code) {
    if (!belongs(code)) continue;
    if (!ranges.empty() && ranges.back().last + 1 == code)
      ranges.back().last = code;
    else
      ranges.push_back({code, code});
  }
  return CodePoints(std::move(ranges));
}

CodePoints digits() {
  return CodePoints({{'0', '9'}});
}

CodePoints word_characters() {
  return CodePoints({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
}

// Those of Python and JavaScript both.
CodePoints spaces() {
  return CodePoints({{'\t', '\r'}, {' ', ' '}});
}

// Those of either.
CodePoints spaces_somewhere() {
  return all_that([](char32_t code) { return unicode::is_python_space(code) || code == 0xFEFF; });
}

}  // namespace

std::optional<CodePoints> class_of_letter(char letter) {
  switch (letter) {
    case 'd':
      return digits();
    case 'D':
      return all_that([](char32_t code) { return !unicode::is_numeric(code); });
    case 'w':
      return word_characters();
    case 'W':
      return all_that([](char32_t code) {
        return !unicode::is_word(code) && !unicode::is_numeric(code) && !unicode::is_letter(code);
      });
    case 's':
      return spaces();
    case 'S':
      return spaces_somewhere().inverted();
    default:
      return std::nullopt;
  }
}

std::optional<CodePoints> class_of_property(std::string_view name) {
  if (name == "L" || name == "Letter" || name == "Alphabetic") return all_that(unicode::is_letter);
  if (name == "Lu" || name == "Uppercase_Letter")
    return all_that([](char32_t code) { return unicode::is_letter(code) && unicode::is_upper_case(code); });
  if (name == "Ll" || name == "Lowercase_Letter")
    return all_that([](char32_t code) { return unicode::is_letter(code) && unicode::is_lower_case(code); });
  if (name == "M" || name == "Mark") return all_that(unicode::is_mark);
  if (name == "N" || name == "Number") return all_that(unicode::is_numeric);
  if (name == "Nd" || name == "Decimal_Number") return all_that(unicode::is_decimal_digit);
  return std::nullopt;
}

CodePoints any_but_line_ends() {
  return CodePoints({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}).inverted();
}

}  // namespace cleave::grammar
