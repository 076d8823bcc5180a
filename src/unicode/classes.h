#pragma once

namespace cleave::unicode {

// Classes of code points and changes of case. The functions down to to_lower_case() agree with the Rust standard
// library and the crates that Hugging Face's tokenizers library uses; those below them agree with Python, for chat
// templates.

/// Property White_Space: 25 code points. U+200B and U+180E have lost it and are none.
bool is_whitespace(char32_t code);
/// General category N: digits and numbers of every script, also "½" and "Ⅷ".
bool is_numeric(char32_t code);
/// General category P, and the ASCII symbols "$+<=>^`|~".
bool is_punctuation(char32_t code);
/// `\w`: letters, marks, decimal digits, connectors, joiners.
bool is_word(char32_t code);
/// General category M.
bool is_mark(char32_t code);
/// General category Mn: mostly accents.
bool is_nonspacing_mark(char32_t code);
/// General categories Cc, Cf and Co: controls, formats, private use.
bool is_other(char32_t code);
/// Ideographs as BERT defines them: the Han blocks, without kana and Hangul.
bool is_ideograph(char32_t code);
/// The lower case of a character, as far as it is one code point. Only U+0130 has a second one, U+0307, which is left
/// out.
char32_t to_lower_case(char32_t code);

/// White space by Python's str.isspace: property White_Space and the separators U+001C to U+001F.
bool is_python_space(char32_t code);
/// Characters that Python's repr writes as they are: all but controls, formats, surrogates, private and unassigned code
/// points, and separators other than the space.
bool is_printable(char32_t code);
/// Letters by Python's str.isalpha: general category L.
bool is_letter(char32_t code);
bool is_decimal_digit(char32_t code);  // general category Nd
bool is_upper_case(char32_t code);
bool is_lower_case(char32_t code);
char32_t to_upper_case(char32_t code);
char32_t to_title_case(char32_t code);

}  // namespace cleave::unicode
