#include "unicode/classes.h"

#include <utf8proc.h>

#include "unicode/history.h"

namespace cleave::unicode {
namespace {

utf8proc_category_t category(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

bool in(char32_t code, char32_t first, char32_t last) {
  return first <= code && code <= last;
}

}  // namespace

bool is_whitespace(char32_t code) {
  return in(code, 0x09, 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         in(code, 0x2000, 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}

bool is_numeric(char32_t code) {
  if (code < 0x80) return in(code, '0', '9');
  const utf8proc_category_t c = category(code);
  const bool belongs = c == UTF8PROC_CATEGORY_ND || c == UTF8PROC_CATEGORY_NL || c == UTF8PROC_CATEGORY_NO;
  return belongs_for_library(CharacterClass::Number, code, belongs);
}

bool is_punctuation(char32_t code) {
  if (code < 0x80) return in(code, '!', '/') || in(code, ':', '@') || in(code, '[', '`') || in(code, '{', '~');
  const utf8proc_category_t c = category(code);
  return belongs_for_library(CharacterClass::Punctuation, code, UTF8PROC_CATEGORY_PC <= c && c <= UTF8PROC_CATEGORY_PO);
}

bool is_word(char32_t code) {
  if (code < 0x80) return in(code, '0', '9') || in(code, 'A', 'Z') || in(code, 'a', 'z') || code == '_';
  if (code == 0x200C || code == 0x200D) return true;
  const utf8proc_category_t c = category(code);
  if (UTF8PROC_CATEGORY_LU <= c && c <= UTF8PROC_CATEGORY_ME) return true;  // letters and marks
  if (c == UTF8PROC_CATEGORY_ND || c == UTF8PROC_CATEGORY_NL || c == UTF8PROC_CATEGORY_PC) return true;
  // The symbols that are Alphabetic: circled and squared Latin letters.
  return in(code, 0x24B6, 0x24E9) || in(code, 0x1F130, 0x1F149) || in(code, 0x1F150, 0x1F169) ||
         in(code, 0x1F170, 0x1F189);
}

bool is_mark(char32_t code) {
  const utf8proc_category_t c = category(code);
  return belongs_for_library(CharacterClass::Mark, code, UTF8PROC_CATEGORY_MN <= c && c <= UTF8PROC_CATEGORY_ME);
}

bool is_nonspacing_mark(char32_t code) {
  return belongs_for_library(CharacterClass::NonspacingMark, code, category(code) == UTF8PROC_CATEGORY_MN);
}

bool is_other(char32_t code) {
  const utf8proc_category_t c = category(code);
  const bool belongs = c == UTF8PROC_CATEGORY_CC || c == UTF8PROC_CATEGORY_CF || c == UTF8PROC_CATEGORY_CO;
  return belongs_for_library(CharacterClass::Other, code, belongs);
}

bool is_ideograph(char32_t code) {
  return in(code, 0x4E00, 0x9FFF) || in(code, 0x3400, 0x4DBF) || in(code, 0x20000, 0x2A6DF) ||
         in(code, 0x2A700, 0x2B73F) || in(code, 0x2B740, 0x2B81F) || in(code, 0x2B920, 0x2CEAF) ||
         in(code, 0xF900, 0xFAFF) || in(code, 0x2F800, 0x2FA1F);
}

bool is_python_space(char32_t code) {
  return is_whitespace(code) || in(code, 0x1C, 0x1F);
}

bool is_printable(char32_t code) {
  if (code < 0x7F) return code >= 0x20;
  const utf8proc_category_t c = category(code);
  return c != UTF8PROC_CATEGORY_CN && c < UTF8PROC_CATEGORY_ZS;
}

bool is_letter(char32_t code) {
  const utf8proc_category_t c = category(code);
  return UTF8PROC_CATEGORY_LU <= c && c <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal_digit(char32_t code) {
  return category(code) == UTF8PROC_CATEGORY_ND;
}

bool is_upper_case(char32_t code) {
  return utf8proc_isupper(static_cast<utf8proc_int32_t>(code)) != 0;
}

bool is_lower_case(char32_t code) {
  return utf8proc_islower(static_cast<utf8proc_int32_t>(code)) != 0;
}

char32_t to_upper_case(char32_t code) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code)));
}

char32_t to_title_case(char32_t code) {
  return static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(code)));
}

char32_t to_lower_case(char32_t code) {
  if (code < 0x80) return in(code, 'A', 'Z') ? code + 0x20 : code;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
}

}  // namespace cleave::unicode
