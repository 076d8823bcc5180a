#pragma once

#include <string>
#include <vector>

#include "jinja/context.h"

namespace cleave::jinja {

/// Python's `format % values`, with the conversions s r d i f g e x X o c and %, their flags, width and precision.
/// Raises what Python raises.
std::string format_percent(const std::string& format, const std::vector<Value>& values, Context& context);

/// Python's `format.format(...)`, with {}, {0}, {name}, {{ and }}. Raises what Python raises, and KeyError for a
/// field with a format specification.
std::string format_braces(const std::string& format, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
