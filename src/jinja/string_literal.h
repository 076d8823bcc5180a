#pragma once

#include <string>
#include <string_view>

namespace cleave::jinja {

/// Appends the text that a string literal, given without its quotes, stands for. Escapes are Python's: a backslash
/// before a character that makes no escape stays. False for a broken escape: \x, \u or \U without its digits.
bool read_string_literal(std::string_view literal, std::string& text);

}  // namespace cleave::jinja
