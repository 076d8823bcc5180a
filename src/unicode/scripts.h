#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace cleave::unicode {

/// The scripts of code points (Unicode Standard Annex #24, property Script, tables of PCRE2). Immutable and
/// thread-safe; making one compiles a regular expression, so callers keep it.
class Scripts {
 public:
  Scripts();
  Scripts(Scripts&&) noexcept;
  ~Scripts();

  /// The number of a code point's script, from 1; 0 for one that has none of the scripts that this class knows. Code
  /// points below U+3000 take one look into a table, others a match.
  int of(char32_t code) const;

  /// The number of a script by its name in Unicode, such as "Han". REQUIRES: the name is one of those known.
  static int number(std::string_view name);

 private:
  struct Matcher;
  static constexpr size_t kRemembered = 0x3000;

  std::unique_ptr<const Matcher> matcher_;
  std::array<uint8_t, kRemembered> remembered_{};  // [code point]
};

}  // namespace cleave::unicode
