#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave {

/// The pieces of `text` between occurrences of `separator`. An empty text has one piece, which is empty.
std::vector<std::string> split(std::string_view text, char separator);

/// The pieces in one text, with `separator` between them.
std::string join(std::span<const std::string> pieces, std::string_view separator);

/// The Levenshtein distance of two texts in bytes. Takes time in proportion to the product of their lengths.
size_t edit_distance(std::string_view a, std::string_view b);

/// The candidates most like `name`, for the "did you mean" of an error message: at most `limit`, the nearest first. A
/// candidate whose edit distance is more than half the length of the longer of the two is left out.
std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> candidates,
                                       size_t limit = 3);

/// A dotted name such as "layers.3.mlp" with * in place of every segment that is a number, "layers.*.mlp": what the
/// names of like things have in common.
std::string stars_for_numbers(std::string_view name);

/// A number of bytes for people to read: "512 B", "1.5 KB", "98.4 MB" (powers of 1000).
std::string format_bytes(double bytes);

}  // namespace cleave
