#pragma once

#include <string>
#include <string_view>

#include "jinja/context.h"

namespace cleave::jinja {

/// Reads a JSON text as a value of the context; dicts have the order of the text. `what` names the text in errors.
/// Throws Error(Corrupt) for invalid JSON and for nesting deeper than 256.
Value read_json(std::string_view json, const std::string& what, Context& context);

}  // namespace cleave::jinja
