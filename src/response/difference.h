#pragma once

#include <string>
#include <string_view>

namespace cleave::response {

// What renderings of one template have in common and what not. A border is never within a tag, because two tags that
// begin or end alike (`<tool_call>`, `</tool_call>`) are different marks.

/// The longest text with which both begin.
std::string_view common_prefix(std::string_view a, std::string_view b);
/// The longest text with which both end.
std::string_view common_suffix(std::string_view a, std::string_view b);

}  // namespace cleave::response
