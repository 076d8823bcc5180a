#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::response {

/// A part of a regular expression that says nothing but which literals stand around some named groups.
struct PatternPart {
  bool is_group;
  std::string text;  // a literal, in which a space stands for optional whitespace; the name of a group
};

/// The parts of a regular expression in Python's syntax; nothing where it is not that simple. What a group matches, and
/// whether whitespace must be there, is not kept.
std::optional<std::vector<PatternPart>> simple_pattern(std::string_view expression);

}  // namespace cleave::response
