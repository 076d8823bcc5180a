#pragma once

namespace cleave::unicode {

/// Classes of code points, as the Rust standard library and the crates that Hugging Face's tokenizers uses define them
/// outside of regular expressions.

/// White_Space property: 25 code points; not U+200B, not U+180E.
bool is_whitespace(char32_t code);
/// General category N: digits and numbers of every script, "½" and "Ⅷ" too.
bool is_numeric(char32_t code);
/// General category P, and the ASCII symbols "$+<=>^`|~".
bool is_punctuation(char32_t code);
/// `\w`: letters, marks, decimal digits, connectors, joiners.
bool is_word(char32_t code);
/// General category M.
bool is_mark(char32_t code);
/// General category Mn: accents, mostly.
bool is_nonspacing_mark(char32_t code);
/// General categories Cc, Cf and Co: controls, formats, private use.
bool is_other(char32_t code);
/// Ideographs as BERT defines them, which leaves out kana and Hangul.
bool is_ideograph(char32_t code);
/// The lower case of a character as one code point; that of U+0130 has a second, U+0307.
char32_t to_lower_case(char32_t code);

/// What Python's str.isspace calls white space: White_Space, and the separators U+001C to U+001F.
bool is_python_space(char32_t code);
/// What Python prints as it is: all but controls, formats, surrogates, private and unassigned code points, separators.
bool is_printable(char32_t code);
/// Letters as Python's str.isalpha has them: general category L.
bool is_letter(char32_t code);
bool is_decimal_digit(char32_t code);  // general category Nd
bool is_upper_case(char32_t code);
bool is_lower_case(char32_t code);
char32_t to_upper_case(char32_t code);
char32_t to_title_case(char32_t code);

}  // namespace cleave::unicode
