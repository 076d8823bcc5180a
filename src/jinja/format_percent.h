#pragma once

#include <string>
#include <vector>

#include "jinja/context.h"

namespace cleave::jinja {

/// Python's `format % values` for a text or a markup, with the conversions d i u o x X e E f F g G c r s a and %, their
/// flags, width and precision (both also `*`), and names in brackets, which are looked up in a dict that is the one
/// value. Raises what Python raises.
Value format_percent(const Value& format, const std::vector<Value>& values, Context& context);

}  // namespace cleave::jinja
