#pragma once

#include <string>
#include <string_view>

namespace cleave::jinja {

// Methods of Python's str that look at single characters. All texts are UTF-8.

std::string upper_case(std::string_view text);    // str.upper
std::string title_case(std::string_view text);    // str.title
std::string capitalized(std::string_view text);   // str.capitalize
std::string swapped_case(std::string_view text);  // str.swapcase
/// Whether the text has characters and all of them are of a class, as str.isalpha and its like ask.
bool all_characters(std::string_view text, bool (*in_class)(char32_t));
/// str.isupper and str.islower: whether the text has cased characters and all of them have that case.
bool is_all_upper(std::string_view text);
bool is_all_lower(std::string_view text);

/// The ends of a text that stripped() works on.
enum class Sides { Left, Right, Both };
/// str.strip, lstrip and rstrip: the text without any of `characters` at its ends, or without white space if
/// `characters` is null. The view borrows from `text`.
std::string_view stripped(std::string_view text, const std::string* characters, Sides sides);

}  // namespace cleave::jinja
