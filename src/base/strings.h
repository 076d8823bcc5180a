#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave {

/// Pieces of `text` between occurrences of `separator`; "" gives one empty piece.
std::vector<std::string> split(std::string_view text, char separator);

/// Pieces joined with `separator` between them.
std::string join(std::span<const std::string> pieces, std::string_view separator);

/// Levenshtein distance in bytes.
size_t edit_distance(std::string_view a, std::string_view b);

/// Up to `limit` of `candidates`, the nearest to `name` first, none farther than half of the longer of the two; for the
/// "did you mean" of an error message.
std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> candidates,
                                       size_t limit = 3);

/// A dotted name such as "layers.3.mlp" with * in place of every segment that is a number, "layers.*.mlp": what the
/// names of like things have in common.
std::string stars_for_numbers(std::string_view name);

/// Bytes for people: "512 B", "1.5 KB", "98.4 MB" (powers of 1000).
std::string format_bytes(double bytes);

}  // namespace cleave
