#include "plan/overrides/model_keyword.h"

#include <algorithm>

namespace cleave::plan {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_separator(char c) {
  return c == '_' || c == '-' || c == '.' || c == ' ';
}
char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

// Whether a word ends before position i of the name: "Mixtral|For", "Qwen2|Moe", "GPT|Neo".
bool word_ends(std::string_view name, size_t i) {
  if (i >= name.size() || is_separator(name[i])) return true;
  if (!is_upper(name[i])) return false;
  return i == 0 || !is_upper(name[i - 1]) || (i + 1 < name.size() && is_lower(name[i + 1]));
}

}  // namespace

bool keyword_means_model(std::string_view keyword, std::string_view name) {
  size_t i = 0;
  bool any = false;
  for (const char c : keyword) {
    if (is_separator(c)) continue;
    while (i < name.size() && is_separator(name[i])) ++i;
    if (i >= name.size() || lower(c) != lower(name[i])) return false;
    ++i;
    any = true;
  }
  return any && word_ends(name, i);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace cleave::plan
