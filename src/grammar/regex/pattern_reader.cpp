#include "grammar/regex/pattern_reader.h"

#include <vector>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "grammar/regex/classes.h"
#include "unicode/utf8.h"

namespace cleave::grammar {

PatternReader::PatternReader(std::string_view pattern, const std::string& where, Budget& budget)
    : pattern_(pattern), where_(where), budget_(budget) {
  if (!unicode::is_utf8(pattern_)) wrong("is not UTF-8");
}

bool PatternReader::skip(std::string_view text) {
  if (!next_is(text)) return false;
  position_ += text.size();
  return true;
}

void PatternReader::wrong(std::string_view what) const {
  fail(ErrorKind::InvalidArgument, "{}: the regular expression {} {} at byte {}", where_, in_quotes(pattern_, '\''),
       what, position_ + 1);
}

void PatternReader::unsupported(std::string_view what) const {
  fail(ErrorKind::Unsupported, "{}: the regular expression {} has {} at byte {}, which is not supported", where_,
       in_quotes(pattern_, '\''), what, position_ + 1);
}

char32_t PatternReader::next() {
  if (at_end()) wrong("ends too early");
  const unicode::Utf8Char next = unicode::valid_utf8_at(pattern_, position_);
  position_ += next.size;
  return next.code;
}

std::optional<CodePoints> PatternReader::escaped_class(bool widest) {
  budget_.look();  // some classes are a look at all of Unicode
  const char letter = pattern_[position_];
  if (letter == 'p' || letter == 'P') {
    const size_t end = pattern_.find('}', position_);
    if (pattern_.size() < position_ + 2 || pattern_[position_ + 1] != '{' || end == std::string_view::npos)
      wrong("has a property without braces");
    const auto set = class_of_property(pattern_.substr(position_ + 2, end - position_ - 2));
    if (!set) unsupported("an unknown property");
    position_ = end + 1;
    return letter == 'p' ? *set : set->inverted();
  }
  const std::optional<CodePoints> set = class_of_letter(letter);
  if (!set) return std::nullopt;
  ++position_;
  return widest ? class_of_letter(static_cast<char>(letter ^ 32))->inverted() : set;
}

char32_t PatternReader::escaped_character() {
  const char32_t code = next();
  switch (code) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case 'a':
      unsupported("the escape \\a");
    case '0':
      if (!at_end() && pattern_[position_] >= '0' && pattern_[position_] <= '9') unsupported("an octal escape");
      return 0;
    case 'c':
      return next() % 32;
    case 'x':
      return hexadecimal(2);
    case 'u':
      return unicode_escape();
    default:
      break;
  }
  if ((code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z')) unsupported("an unknown escape");
  return code;
}

char32_t PatternReader::unicode_escape() {
  if (skip("{")) {
    const size_t end = pattern_.find('}', position_);
    if (end == std::string_view::npos || end - position_ > 6) wrong("has a \\u{ without its }");
    const char32_t code = hexadecimal(static_cast<int>(end - position_));
    ++position_;
    return code;
  }
  const char32_t high = hexadecimal(4);
  if (high < 0xD800 || high > 0xDFFF) return high;
  if (high > 0xDBFF || !skip("\\u")) unsupported("half a surrogate pair");
  const char32_t low = hexadecimal(4);
  if (low < 0xDC00 || low > 0xDFFF) unsupported("half a surrogate pair");
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

char32_t PatternReader::hexadecimal(int digits) {
  char32_t value = 0;
  for (int i = 0; i < digits; ++i) {
    const char32_t digit = next();
    if (digit >= '0' && digit <= '9')
      value = value * 16 + (digit - '0');
    else if ((digit | 32) >= 'a' && (digit | 32) <= 'f')
      value = value * 16 + ((digit | 32) - 'a' + 10);
    else
      wrong("has an escape that is not hexadecimal");
  }
  return value;
}

// Behind "[".
CodePoints PatternReader::bracket() {
  const bool inverted = skip("^");
  CodePoints set;
  std::vector<CodePoints::Range> ranges;
  while (!skip("]")) {
    if (at_end()) wrong("has a [ without its ]");
    budget_.nodes(ranges.size());
    if (next_is("[:")) unsupported("a POSIX class");
    if (next_is("&&") || next_is("--")) unsupported("an operation on sets");
    const std::optional<CodePoints> first_class = bracket_class(inverted);
    const char32_t first = first_class ? 0 : bracket_character();
    const bool is_range = next_is("-") && !next_is("-]");
    if (first_class) {
      set = set.united(*first_class);
      continue;  // a "-" behind a class is itself
    }
    if (!is_range) {
      ranges.push_back({first, first});
      continue;
    }
    skip("-");
    if (bracket_class(false)) wrong("has a range that ends in a class");
    const char32_t last = bracket_character();
    if (last < first) wrong("has a range in the wrong order");
    ranges.push_back({first, last});
  }
  set = set.united(CodePoints(std::move(ranges)));
  return inverted ? set.inverted() : set;
}

std::optional<CodePoints> PatternReader::bracket_class(bool widest) {
  if (!next_is("\\") || position_ + 1 == pattern_.size()) return std::nullopt;
  ++position_;
  const std::optional<CodePoints> set = escaped_class(widest);
  if (!set) --position_;
  return set;
}

char32_t PatternReader::bracket_character() {
  if (!skip("\\")) return next();
  if (skip("b")) return '\b';
  if (!at_end() && pattern_[position_] >= '1' && pattern_[position_] <= '9') unsupported("an octal escape");
  return escaped_character();
}

}  // namespace cleave::grammar
