#pragma once

namespace cleave::unicode {

/// Classes of code points for which the tokenizers library, or a crate that it uses, has tables of another version of
/// Unicode than utf8proc has.
enum class CharacterClass {
  NonspacingMark,
  Mark,
  Punctuation,
  Other,  // controls, formats, private use
  Number,
  Composite,  // has a decomposition
};

/// Whether a code point belongs to the class for the library, where `belongs` says whether it does for utf8proc.
bool belongs_for_library(CharacterClass wanted, char32_t code, bool belongs);

}  // namespace cleave::unicode
