#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace cleave {

/// A regular expression of a user, in Perl's and Python's common syntax, over bytes. Steps and memory of a match are
/// bounded. Owns its working memory: not thread-safe.
class Regex {
 public:
  enum class Extent { Whole, Beginning };  // what of a text must match; Python's fullmatch and match

  /// Throws Error(InvalidArgument) with the position for an expression that cannot be compiled; `where` names it.
  Regex(const std::string& expression, Extent extent, const std::string& where);
  Regex(Regex&&) noexcept;
  ~Regex();

  /// Throws Error(InvalidArgument) where it takes more steps than any sensible expression needs.
  bool matches(std::string_view text) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace cleave
