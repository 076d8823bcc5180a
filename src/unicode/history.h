#pragma once

namespace cleave::unicode {

/// Classes of code points that differ between utf8proc and the tokenizers library, because the library, or a crate that
/// it uses, has the tables of another version of Unicode.
enum class CharacterClass {
  NonspacingMark,
  Mark,
  Punctuation,
  Other,  // controls, formats, private use
  Number,
  Composite,  // has a decomposition
};

/// Whether the library counts a code point to the class. `belongs`: whether utf8proc does, which is the answer for all
/// code points but those of a short list.
bool belongs_for_library(CharacterClass wanted, char32_t code, bool belongs);

}  // namespace cleave::unicode
