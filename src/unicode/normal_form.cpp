#include "unicode/normal_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "unicode/classes.h"
#include "unicode/history.h"
#include "unicode/utf8.h"

namespace cleave::unicode {
namespace {

// The most code points into which a character decomposes (U+FDFA).
constexpr size_t kMaxDecomposition = 32;

// Whether a character is its own normal form whatever stands before it: it has no decomposition, is no mark and does
// not compose with the character before it. Text between two inert characters can be normalised by itself.
bool is_inert(char32_t code, NormalForm form) {
  const bool composes = form == NormalForm::Nfc || form == NormalForm::Nfkc;
  if (code < 0x80 || (code < 0x300 && form == NormalForm::Nfc)) return true;
  if (0x1160 <= code && code <= 0x11FF) return false;     // vowels and finals of Hangul
  if (0xAC00 <= code && code <= 0xD7A3) return composes;  // Hangul's syllables, which compose by rule
  const utf8proc_property_t* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
  // utf8proc's index of compositions is 0x8000 and more for characters that stand second in one.
  const bool stands_second = property->comb_index >= 0x8000 && property->comb_index != UINT16_MAX;
  const bool decomposes = belongs_for_library(CharacterClass::Composite, code, property->decomp_seqindex != UINT16_MAX);
  return !decomposes && property->combining_class == 0 && !stands_second;
}

int combining_class(utf8proc_int32_t code) {
  return utf8proc_get_property(code)->combining_class;
}

// Canonical ordering: sorts the marks between two starters by their class; marks of one class keep their order.
// utf8proc_decompose would exchange neighbours instead, in quadratic time for a text of marks.
void sort_marks(std::vector<utf8proc_int32_t>& codes) {
  const auto by_class = [](utf8proc_int32_t a, utf8proc_int32_t b) { return combining_class(a) < combining_class(b); };
  const auto is_mark = [](utf8proc_int32_t code) { return combining_class(code) != 0; };
  for (auto begin = codes.begin();;) {
    begin = std::find_if(begin, codes.end(), is_mark);
    if (begin == codes.end()) return;
    const auto end = std::find_if_not(begin, codes.end(), is_mark);
    std::stable_sort(begin, end, by_class);
    begin = end;
  }
}

std::vector<utf8proc_int32_t> decompose(std::string_view text, utf8proc_option_t options) {
  std::vector<utf8proc_int32_t> codes;
  codes.reserve(text.size());
  std::array<utf8proc_int32_t, kMaxDecomposition> parts{};
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = valid_utf8_at(text, i);
    i += c.size;
    if (!belongs_for_library(CharacterClass::Composite, c.code, true)) {
      codes.push_back(static_cast<utf8proc_int32_t>(c.code));
      continue;
    }
    int boundary = 0;
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c.code), parts.data(), parts.size(), options, &boundary);
    CHECK(count >= 0 && static_cast<size_t>(count) <= parts.size());
    codes.insert(codes.end(), parts.begin(), parts.begin() + count);
  }
  return codes;
}

// The normal form of any text.
void append_normal(std::string_view text, NormalForm form, std::string& normal) {
  const bool compatible = form == NormalForm::Nfkc || form == NormalForm::Nfkd;
  const bool compose = form == NormalForm::Nfc || form == NormalForm::Nfkc;
  const auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0));
  std::vector<utf8proc_int32_t> codes = decompose(text, options);
  sort_marks(codes);
  if (compose) {
    const auto composing =
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | (compatible ? UTF8PROC_COMPAT : 0));
    const utf8proc_ssize_t count =
        utf8proc_normalize_utf32(codes.data(), static_cast<utf8proc_ssize_t>(codes.size()), composing);
    CHECK(count >= 0);
    codes.resize(static_cast<size_t>(count));
  }
  for (const utf8proc_int32_t code : codes) append_utf8(normal, static_cast<char32_t>(code));
}

}  // namespace

std::string to_normal_form(std::string_view text, NormalForm form) {
  std::string normal;
  normal.reserve(text.size());
  size_t done = 0;      // the part of the text before it is in `normal`
  size_t previous = 0;  // the last inert character, with which the characters behind it may compose
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = valid_utf8_at(text, i);
    if (is_inert(c.code, form)) {
      previous = i;
      i += c.size;
      continue;
    }
    normal.append(text.substr(done, previous - done));
    size_t end = i + c.size;
    while (end < text.size() && !is_inert(valid_utf8_at(text, end).code, form)) end += valid_utf8_at(text, end).size;
    append_normal(text.substr(previous, end - previous), form, normal);
    done = previous = i = end;
  }
  return normal.append(text.substr(done));
}

std::string lower_case(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = valid_utf8_at(text, i);
    i += c.size;
    if (c.code == 0x130) {
      lower += "i\u0307";
    } else {
      append_utf8(lower, to_lower_case(c.code));
    }
  }
  return lower;
}

}  // namespace cleave::unicode
