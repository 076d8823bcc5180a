#pragma once

#include <string>
#include <vector>

#include "jinja/context.h"

namespace cleave::jinja {

/// Python's `format % values`, with the conversions d i u o x X e E f F g G c r s a and %, their flags, width and
/// precision (both also `*`), and names in brackets, which are looked up in a dict that is the one value. Raises what
/// Python raises.
std::string format_percent(const std::string& format, const std::vector<Value>& values, Context& context);

}  // namespace cleave::jinja
