#pragma once

#include <cstdint>
#include <string>

namespace cleave::jinja {

/// The local time `seconds` after 1970 as Python's datetime.strftime writes it in the C locale; formats that it does
/// not know stay as they are.
std::string format_time(const std::string& format, int64_t seconds);

}  // namespace cleave::jinja
