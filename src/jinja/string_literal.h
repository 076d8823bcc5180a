#pragma once

#include <string>
#include <string_view>

namespace cleave::jinja {

/// Appends what the inside of a string literal stands for, with Python's escapes; false for a broken one (\x, \u and \U
/// without their digits). A backslash before any other character stays, as in Python.
bool read_string_literal(std::string_view literal, std::string& text);

}  // namespace cleave::jinja
