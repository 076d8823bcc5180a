#include "text/pattern/pattern_escapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "text/pattern/pattern_classes.h"

namespace cleave::text {
namespace {

// Writes a class whose members are `list`, or all others where `negated`, in place of the next `size` characters.
void write_class(PatternRewriter& pattern, std::string_view list, bool negated, bool in_class, size_t size) {
  if (in_class && negated) pattern.unsupported("a negated class within a class");
  pattern.out.append(in_class ? "" : negated ? "[^" : "[").append(list).append(in_class ? "" : "]");
  pattern.at += size;
}

// \b and \B, for which PCRE2 has another idea of what a word is.
void write_word_boundary(PatternRewriter& pattern, fmt::format_string<const char* const&> form) {
  pattern.replace(2, fmt::format(form, kWordClass));
}

// Where the braces of \p{...} or \x{...} have closed; 0 where there are none.
size_t end_of_braces(const PatternRewriter& pattern) {
  const size_t end = pattern.in.find('}', pattern.at);
  return end == std::string::npos || pattern.in.compare(pattern.at + 2, 1, "{") != 0 ? 0 : end + 1;
}

// \p{Name}, \P{Name} and \p{^Name}
bool rewrite_property(PatternRewriter& pattern, bool in_class) {
  const size_t end = end_of_braces(pattern);
  if (end == 0) return false;
  const size_t size = end - pattern.at;
  std::string_view name = std::string_view(pattern.in).substr(pattern.at + 3, size - 4);
  bool negated = pattern.in[pattern.at + 1] == 'P';
  if (name.starts_with('^')) {
    negated = !negated;
    name.remove_prefix(1);
  }
  if (const std::string_view list = posix_class(name, true); !list.empty())
    write_class(pattern, list, negated, in_class, size);
  else
    pattern.replace(size, fmt::format("{}{}}}", negated ? "\\P{" : "\\p{", property_name(name)));
  return true;
}

// \uHHHH
bool rewrite_code_point(PatternRewriter& pattern) {
  const std::string digits = pattern.in.substr(pattern.at + 2, 4);
  for (const char c : digits)
    if (!std::isxdigit(static_cast<unsigned char>(c))) return false;
  if (digits.size() != 4) return false;
  pattern.replace(6, fmt::format("\\x{{{}}}", digits));
  return true;
}

// \s, \w, \h and their negations: false for another letter.
bool rewrite_class_escape(PatternRewriter& pattern, char letter, bool in_class) {
  const char* word = in_class ? kBracketWordClass : kWordClass;
  switch (letter) {
    case 's':
      write_class(pattern, kSpaceClass, false, in_class, 2);
      return true;
    case 'S':  // within a class PCRE2 has no negation, so the members are spelt out
      write_class(pattern, in_class ? kNotSpaceClass : kSpaceClass, !in_class, in_class, 2);
      return true;
    case 'w':
    case 'W':
      write_class(pattern, word, letter == 'W', in_class, 2);
      return true;
    case 'h':
    case 'H':
      write_class(pattern, kHexClass, letter == 'H', in_class, 2);
      return true;
    default:
      return false;
  }
}

}  // namespace

void rewrite_escape(PatternRewriter& pattern, bool in_class) {
  const char letter = pattern.at + 1 < pattern.in.size() ? pattern.in[pattern.at + 1] : '\0';
  if (rewrite_class_escape(pattern, letter, in_class)) return;
  if (letter == 'b' && !in_class) return write_word_boundary(pattern, "(?:(?<=[{0}])(?![{0}])|(?<![{0}])(?=[{0}]))");
  if (letter == 'B' && !in_class) return write_word_boundary(pattern, "(?:(?<=[{0}])(?=[{0}])|(?<![{0}])(?![{0}]))");
  if (letter == 'u' && rewrite_code_point(pattern)) return;
  if ((letter == 'p' || letter == 'P') && rewrite_property(pattern, in_class)) return;
  const size_t end = letter == 'x' ? end_of_braces(pattern) : 0;
  pattern.copy(end != 0 ? end - pattern.at : std::min<size_t>(2, pattern.in.size() - pattern.at));
}

bool rewrite_posix_class(PatternRewriter& pattern) {
  const size_t end = pattern.in.find(":]", pattern.at);
  if (!pattern.starts_with("[:") || end == std::string::npos) return false;
  const size_t size = end + 2 - pattern.at;
  const std::string_view name = std::string_view(pattern.in).substr(pattern.at + 2, size - 4);
  const bool negated = name.starts_with('^');
  const std::string_view list = posix_class(name.substr(negated ? 1 : 0), false);
  if (list.empty())
    pattern.copy(size);
  else
    write_class(pattern, list, negated, true, size);
  return true;
}

}  // namespace cleave::text
