#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cleave::text {

/// The state of rewriting a regular expression of Oniguruma's syntax as one of PCRE2 (pattern_syntax.h): how far it has
/// been read, and what has been written for that. Borrows the expression and its name.
struct PatternRewriter {
  const std::string& in;    // the expression
  const std::string& what;  // names it in errors
  size_t at = 0;            // the next character of `in`
  std::string out;          // PCRE2's expression for all before `at`

  bool at_end() const { return at >= in.size(); }
  bool next_is(char c) const { return at < in.size() && in[at] == c; }
  bool starts_with(std::string_view text) const { return std::string_view(in).substr(at).starts_with(text); }

  /// Takes over `count` characters as they are.
  void copy(size_t count);
  /// Writes `text` in place of the next `count` characters.
  void replace(size_t count, std::string_view text);
  /// Throws Error(Unsupported): the expression uses `feature` here.
  [[noreturn]] void unsupported(const char* feature) const;
};

}  // namespace cleave::text
