#include "text/pattern/pattern_classes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace cleave::text {

const char* const kSpaceClass =
    R"(\x{9}-\x{d} \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
const char* const kNotSpaceClass =
    R"(\x{0}-\x{8}\x{e}-\x{1f}!-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e})"
    R"(\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
const char* const kBracketWordClass = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
const char* const kWordClass = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";
const char* const kHexClass = "0-9A-Fa-f";

namespace {

using Name = std::pair<std::string_view, std::string_view>;

constexpr std::array<Name, 6> kPosixClasses = {{
    {"alpha", R"(\p{Alphabetic})"},
    {"alnum", R"(\p{Alphabetic}\p{Nd})"},
    {"punct", R"(\p{P}\p{S})"},
    {"digit", R"(\p{Nd})"},
    {"upper", R"(\p{Uppercase})"},
    {"lower", R"(\p{Lowercase})"},
}};

constexpr std::array<Name, 38> kCategories = {{
    {"letter", "L"},
    {"cased_letter", "L&"},
    {"uppercase_letter", "Lu"},
    {"lowercase_letter", "Ll"},
    {"titlecase_letter", "Lt"},
    {"modifier_letter", "Lm"},
    {"other_letter", "Lo"},
    {"mark", "M"},
    {"nonspacing_mark", "Mn"},
    {"spacing_mark", "Mc"},
    {"enclosing_mark", "Me"},
    {"number", "N"},
    {"decimal_number", "Nd"},
    {"letter_number", "Nl"},
    {"other_number", "No"},
    {"punctuation", "P"},
    {"connector_punctuation", "Pc"},
    {"dash_punctuation", "Pd"},
    {"open_punctuation", "Ps"},
    {"close_punctuation", "Pe"},
    {"initial_punctuation", "Pi"},
    {"final_punctuation", "Pf"},
    {"other_punctuation", "Po"},
    {"symbol", "S"},
    {"math_symbol", "Sm"},
    {"currency_symbol", "Sc"},
    {"modifier_symbol", "Sk"},
    {"other_symbol", "So"},
    {"separator", "Z"},
    {"space_separator", "Zs"},
    {"line_separator", "Zl"},
    {"paragraph_separator", "Zp"},
    {"other", "C"},
    {"control", "Cc"},
    {"format", "Cf"},
    {"surrogate", "Cs"},
    {"private_use", "Co"},
    {"unassigned", "Cn"},
}};

// The scripts that tokenizers tell apart.
constexpr std::array<std::string_view, 32> kScripts = {
    "arabic",   "armenian", "bengali",    "bopomofo",  "canadian_aboriginal",
    "cherokee", "cyrillic", "devanagari", "ethiopic",  "georgian",
    "greek",    "gujarati", "gurmukhi",   "han",       "hangul",
    "hebrew",   "hiragana", "kannada",    "katakana",  "khmer",
    "lao",      "latin",    "malayalam",  "mongolian", "myanmar",
    "oriya",    "sinhala",  "syriac",     "tamil",     "telugu",
    "thai",     "tibetan"};

std::string ascii_lower_case(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

template <size_t N>
std::string_view look_up(const std::array<Name, N>& names, std::string_view name) {
  for (const auto& [known, meaning] : names)
    if (known == name) return meaning;
  return "";
}

}  // namespace

std::string_view posix_class(std::string_view name, bool property) {
  const std::string lower = ascii_lower_case(name);
  if (lower == "space") return kSpaceClass;
  if (lower == "punct" && property) return R"(\p{P})";
  if (lower == "word") return property ? kWordClass : kBracketWordClass;
  return look_up(kPosixClasses, lower);
}

std::string property_name(std::string_view name) {
  const std::string lower = ascii_lower_case(name);
  if (const std::string_view category = look_up(kCategories, lower); !category.empty()) return std::string(category);
  if (std::find(kScripts.begin(), kScripts.end(), lower) != kScripts.end()) return "sc:" + lower;
  return std::string(name);
}

}  // namespace cleave::text
