#pragma once

namespace cleave::text {

/// Classes of code points, as the Rust standard library and its regex crate define them: what Hugging Face's tokenizers
/// uses outside of its regular expressions.

/// White_Space property: 25 code points; not U+200B, not U+180E.
bool is_whitespace(char32_t code);
/// General category N: digits and numbers of every script, "½" and "Ⅷ" too.
bool is_numeric(char32_t code);
/// General category P, and the ASCII symbols "$+<=>^`|~".
bool is_punctuation(char32_t code);
/// `\w`: letters, marks, decimal digits, connectors, joiners.
bool is_word(char32_t code);

}  // namespace cleave::text
