#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/pattern/range.h"

namespace cleave::text {

/// A compiled regular expression in the syntax of the Oniguruma library with Ruby's rules, in which tokenizer files are
/// written. Immutable and thread-safe. Work per match is bounded, so that no pattern makes a text hang by backtracking.
class Pattern {
 public:
  /// `what` names the place of the expression in errors. Throws Error(Unsupported) for one that cannot be compiled.
  static Pattern regex(const std::string& expression, const std::string& what);
  /// Matches exactly this text.
  static Pattern literal(const std::string& text, const std::string& what);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  /// The text with `content` in place of each match. Throws as Finder::find_all does.
  std::string replace_all(std::string_view text, std::string_view content) const;

  /// Finds matches in texts, one after the other, with its own working memory. The pattern must outlive it; not
  /// thread-safe.
  class Finder {
   public:
    explicit Finder(const Pattern& pattern);
    Finder(Finder&&) noexcept;
    ~Finder();
    /// Replaces `matches` by the non-overlapping matches in `text`, which must be UTF-8, from left to right. An empty
    /// match right behind another match does not count. Throws Error(InvalidArgument) if a match takes more steps than
    /// any sensible pattern needs.
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
