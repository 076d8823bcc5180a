#pragma once

#include <string>
#include <string_view>

#include "jinja/context.h"

namespace cleave::jinja {

/// Python's format(value, spec), for what a field of str.format() says behind its colon: the whole language of
/// https://docs.python.org/3/library/string.html#formatspec. Raises what Python raises; MemoryError for a width or a
/// precision beyond the limits of a rendering.
std::string format_value(const Value& value, std::string_view spec, Context& context);

}  // namespace cleave::jinja
