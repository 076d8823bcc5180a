#pragma once

#include <string>
#include <string_view>

namespace cleave {

/// Text from an untrusted file for an error message: in double quotes, on one line (escapes as in JSON, ASCII only),
/// cut where it is long.
std::string in_quotes(std::string_view text);

}  // namespace cleave
