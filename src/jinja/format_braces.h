#pragma once

#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// Python's `format.format(...)` as Jinja2's sandbox has it: fields with names, numbers or nothing, attributes and
/// items, conversions, and specifications (format_spec.h), which may hold fields. Raises what Python raises.
std::string format_braces(const std::string& format, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
