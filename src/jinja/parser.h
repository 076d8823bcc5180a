#pragma once

#include <string>
#include <string_view>

#include "jinja/ast.h"

namespace cleave::jinja {

/// Parses a template. `what` names the template in errors. Throws Error(Corrupt) with line and column.
Statements parse(std::string_view source, const std::string& what);

}  // namespace cleave::jinja
