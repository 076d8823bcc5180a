#pragma once

#include <cstdint>
#include <string>

namespace cleave::jinja {

/// Python's datetime.strftime(format) in the C locale, of the local time `seconds` after the beginning of 1970. Unknown
/// directives stay as they are.
std::string format_time(const std::string& format, int64_t seconds);

}  // namespace cleave::jinja
