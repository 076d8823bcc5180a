#pragma once

#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// value is name(arguments). Raises TemplateRuntimeError for a test that Jinja2 does not have.
bool apply_test(const std::string& name, const Value& value, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
