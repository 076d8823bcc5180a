#pragma once

#include <string>
#include <string_view>

#include "jinja/lexer.h"

namespace cleave::jinja {

/// The source of a template with a position in it, which moves forward. Borrows the template's name.
class SourceCursor {
 public:
  /// `what` names the template in errors. Bytes of `source` that are not UTF-8 count as U+FFFD. As Jinja2 reads it,
  /// \r\n and \r become \n, and one newline at the end is left out.
  SourceCursor(std::string_view source, const std::string& what);

  std::string_view text() const { return text_; }
  size_t at() const { return at_; }
  bool at_end() const { return at_ >= text_.size(); }
  /// Line and column of at().
  Place place() const { return place_; }

  /// The sign '-' or '+' at a position; '\0' if there is none.
  char sign_at(size_t position) const;
  /// The end of the white space that begins at a position.
  size_t space_end(size_t position) const;

  /// Moves to a position. REQUIRES: at() <= to.
  void advance(size_t to);
  void skip_space() { advance(space_end(at_)); }

  /// Throws a syntax error at place().
  [[noreturn]] void fail(std::string_view message) const { syntax_error(what_, place_, message); }

 private:
  const std::string& what_;
  std::string text_;
  size_t at_ = 0;
  Place place_;
};

}  // namespace cleave::jinja
