#pragma once

#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// Python's `format.format(...)` for a text or a markup, as Jinja2's sandbox has it: fields with names, numbers or
/// nothing, attributes and items, conversions, and specifications (format_spec.h), which may hold fields. Raises what
/// Python raises.
std::string format_braces(const Value& format, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
