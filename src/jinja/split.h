#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace cleave::jinja {

// Methods of Python's str that cut texts and put them together. The views that they return borrow from `text`.

/// str.split(separator, limit) and rsplit: the parts between at most `limit` separators, counted from the left or from
/// the right. A negative limit is none.
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, int64_t limit,
                                       bool from_right);
/// str.split(None, limit) and rsplit: the words between runs of white space. White space at the ends of the text is
/// left out.
std::vector<std::string_view> split_at_space(std::string_view text, int64_t limit, bool from_right);
/// str.splitlines(keep_ends).
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);
/// str.replace(from, to, count). Raises MemoryError if the result is longer than `limit` bytes.
std::string replaced(std::string_view text, std::string_view from, std::string_view to, int64_t count, size_t limit);
/// str.ljust, center and rjust: the text with copies of `fill` around it up to a width of `width` characters. `side`,
/// the text's place: 0 left, 1 in the middle, 2 right. Raises TypeError if `fill` is not one character, MemoryError if
/// the result is longer than `limit` bytes.
std::string padded(const Text& text, int64_t width, const std::string& fill, int side, size_t limit);

}  // namespace cleave::jinja
