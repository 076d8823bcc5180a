#pragma once

#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// The value of `value is name(arguments)`, what Jinja2 calls a test. Raises TemplateRuntimeError for an unknown one.
bool apply_test(const std::string& name, const Value& value, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
