#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace cleave::jinja {

// How Python's str cuts texts and puts them together. Views borrow from the text.

/// str.split(separator, limit): at most `limit` cuts, the first or the last ones; any number where it is negative.
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, int64_t limit,
                                       bool from_right);
/// str.split(None, limit): at runs of white space; that at the ends goes.
std::vector<std::string_view> split_at_space(std::string_view text, int64_t limit, bool from_right);
/// str.splitlines.
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);
/// str.replace(from, to, count). Raises MemoryError beyond `limit` bytes.
std::string replaced(std::string_view text, std::string_view from, std::string_view to, int64_t count, size_t limit);
/// The text with `fill` (one character) around it, so that it is `width` characters wide; `side`: 0 left, 1 in the
/// middle, 2 right. Raises TypeError, or MemoryError beyond `limit` bytes.
std::string padded(const Text& text, int64_t width, const std::string& fill, int side, size_t limit);

}  // namespace cleave::jinja
