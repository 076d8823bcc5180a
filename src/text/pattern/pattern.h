#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/pattern/range.h"

namespace cleave::text {

/// A compiled regular expression. Its syntax is that of the Oniguruma library with Ruby's rules, in which tokenizer
/// files are written. The work per match is bounded, so that no pattern makes a text hang by backtracking. Immutable
/// and thread-safe.
class Pattern {
 public:
  /// Compiles an expression. `what` names its place in errors. Throws Error(Unsupported) if it cannot be compiled.
  static Pattern regex(const std::string& expression, const std::string& what);
  /// The pattern that matches this very text.
  static Pattern literal(const std::string& text, const std::string& what);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  /// The text with `content` in place of each match. Throws as Finder::find_all does.
  std::string replace_all(std::string_view text, std::string_view content) const;

  /// A search for the matches of a pattern, with working memory that serves one text after the other. The pattern must
  /// outlive it. Not thread-safe.
  class Finder {
   public:
    explicit Finder(const Pattern& pattern);
    Finder(Finder&&) noexcept;
    ~Finder();
    /// Sets `matches` to the non-overlapping matches in `text`, from left to right. An empty match right behind another
    /// match does not count. Throws Error(InvalidArgument) if a match takes more steps than any sensible pattern needs.
    /// REQUIRES: the text is UTF-8.
    void find_all(std::string_view text, std::vector<Range>& matches);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  struct Code;
  explicit Pattern(std::unique_ptr<const Code> code);
  std::unique_ptr<const Code> code_;
};

}  // namespace cleave::text
