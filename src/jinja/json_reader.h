#pragma once

#include <string>
#include <string_view>

#include "jinja/context.h"

namespace cleave::jinja {

/// The value that a JSON text stands for, objects in the order of their keys. `what` names it in errors. Throws
/// Error(Corrupt), also for nesting deeper than 256.
Value read_json(std::string_view json, const std::string& what, Context& context);

}  // namespace cleave::jinja
