#include "jinja/characters.h"

#include <array>
#include <utility>

#include "unicode/classes.h"
#include "unicode/normal_form.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// Characters that become several in upper case. In title case the characters behind the first are small.
constexpr std::array<std::pair<char32_t, std::string_view>, 8> kSpecialUpper = {{{U'ß', "SS"},
                                                                                 {U'\uFB00', "FF"},
                                                                                 {U'\uFB01', "FI"},
                                                                                 {U'\uFB02', "FL"},
                                                                                 {U'\uFB03', "FFI"},
                                                                                 {U'\uFB04', "FFL"},
                                                                                 {U'\uFB05', "ST"},
                                                                                 {U'\uFB06', "ST"}}};

void append_upper(char32_t code, std::string& out, bool title = false) {
  for (const auto& [special, upper] : kSpecialUpper) {
    if (code != special) continue;
    out += upper.substr(0, title ? 1 : upper.size());
    if (title) out += unicode::lower_case(upper.substr(1));
    return;
  }
  unicode::append_utf8(out, title ? unicode::to_title_case(code) : unicode::to_upper_case(code));
}

template <class Visit>
void for_each_character(std::string_view text, Visit&& visit) {
  for (size_t i = 0; i < text.size();) {
    const unicode::Utf8Char c = unicode::valid_utf8_at(text, i);
    visit(c.code);
    i += c.size;
  }
}

bool is_cased(char32_t code) {
  return unicode::is_upper_case(code) || unicode::is_lower_case(code);
}

bool has_only_case(std::string_view text, bool (*wanted)(char32_t)) {
  bool any = false;
  bool all = true;
  for_each_character(text, [&](char32_t code) {
    any = any || is_cased(code);
    all = all && (!is_cased(code) || wanted(code));
  });
  return any && all;
}

size_t last_character(std::string_view text) {
  size_t last = text.size() - 1;
  while (last > 0 && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
  return last;
}

}  // namespace

std::string upper_case(std::string_view text) {
  std::string upper;
  for_each_character(text, [&](char32_t code) { append_upper(code, upper); });
  return upper;
}

std::string title_case(std::string_view text) {
  std::string title;
  bool in_word = false;
  for_each_character(text, [&](char32_t code) {
    if (in_word)
      unicode::append_utf8(title, unicode::to_lower_case(code));
    else
      append_upper(code, title, true);
    in_word = is_cased(code);
  });
  return title;
}

std::string capitalized(std::string_view text) {
  std::string result;
  if (text.empty()) return result;
  const unicode::Utf8Char first = unicode::valid_utf8_at(text, 0);
  append_upper(first.code, result, true);
  return result + unicode::lower_case(text.substr(first.size));
}

std::string swapped_case(std::string_view text) {
  std::string swapped;
  for_each_character(text, [&](char32_t code) {
    if (unicode::is_upper_case(code))
      unicode::append_utf8(swapped, unicode::to_lower_case(code));
    else
      append_upper(code, swapped);
  });
  return swapped;
}

bool all_characters(std::string_view text, bool (*in_class)(char32_t)) {
  bool all = !text.empty();
  for_each_character(text, [&](char32_t code) { all = all && in_class(code); });
  return all;
}

bool is_all_upper(std::string_view text) {
  return has_only_case(text, unicode::is_upper_case);
}
bool is_all_lower(std::string_view text) {
  return has_only_case(text, unicode::is_lower_case);
}

std::string_view stripped(std::string_view text, const std::string* characters, Sides sides) {
  const auto goes = [&](std::string_view character) {
    return characters != nullptr ? characters->find(character) != std::string::npos
                                 : unicode::is_python_space(unicode::valid_utf8_at(character, 0).code);
  };
  while (sides != Sides::Right && !text.empty()) {
    const size_t size = unicode::valid_utf8_at(text, 0).size;
    if (!goes(text.substr(0, size))) break;
    text.remove_prefix(size);
  }
  while (sides != Sides::Left && !text.empty()) {
    const size_t last = last_character(text);
    if (!goes(text.substr(last))) break;
    text = text.substr(0, last);
  }
  return text;
}

}  // namespace cleave::jinja
