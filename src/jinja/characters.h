#pragma once

#include <string>
#include <string_view>

namespace cleave::jinja {

// What Python's str does with characters. All texts are UTF-8.

std::string upper_case(std::string_view text);
std::string title_case(std::string_view text);    // str.title
std::string capitalized(std::string_view text);   // str.capitalize
std::string swapped_case(std::string_view text);  // str.swapcase
/// Whether there are characters and all of them are of a class; "" has none.
bool all_characters(std::string_view text, bool (*in_class)(char32_t));
/// str.isupper and str.islower: whether there are cased characters and all are of that case.
bool is_all_upper(std::string_view text);
bool is_all_lower(std::string_view text);

enum class Sides { Left, Right, Both };
/// Without characters of `characters`, or without white space where that is null, at the ends.
std::string_view stripped(std::string_view text, const std::string* characters, Sides sides);

}  // namespace cleave::jinja
