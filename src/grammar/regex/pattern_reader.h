#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "grammar/program/code_points.h"
#include "grammar/program/limits.h"

namespace cleave::grammar {

/// Reads a regular expression from left to right, and what it has smaller than atoms: characters, escapes, classes.
/// Errors are those of parse_regex(). Borrows all it is given.
class PatternReader {
 public:
  PatternReader(std::string_view pattern, const std::string& where, Budget& budget);

  bool at_end() const { return position_ == pattern_.size(); }
  /// The next byte. REQUIRES: not at_end().
  char peek() const { return pattern_[position_]; }
  bool next_is(std::string_view text) const { return pattern_.substr(position_).starts_with(text); }
  /// Passes a text if it comes next.
  bool skip(std::string_view text);
  void skip_byte() { ++position_; }
  size_t position() const { return position_; }
  void go_to(size_t position) { position_ = position; }

  /// The next character.
  char32_t next();
  /// What stands behind a backslash: \d and the like, and \p{L}; nothing for another escape. `widest`: with all that
  /// any dialect counts to the class, so that what is outside of it is outside in all.
  std::optional<CodePoints> escaped_class(bool widest);
  char32_t escaped_character();
  /// What stands behind "[", up to "]".
  CodePoints bracket();

  [[noreturn]] void wrong(std::string_view what) const;
  [[noreturn]] void unsupported(std::string_view what) const;
  Budget& budget() { return budget_; }

 private:
  char32_t unicode_escape();
  char32_t hexadecimal(int digits);
  std::optional<CodePoints> bracket_class(bool widest);
  char32_t bracket_character();

  std::string_view pattern_;
  const std::string& where_;
  Budget& budget_;
  size_t position_ = 0;
};

}  // namespace cleave::grammar
