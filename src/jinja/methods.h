#pragma once

#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// A method as a function of the object and the arguments.
using Method = Value (*)(Context&, const Value& self, const Arguments&);

/// The method of that name of Python's str, list, tuple or dict; null if the type of `value` has none, or only one that
/// would change the value.
Method find_method(const Value& value, const std::string& name);

}  // namespace cleave::jinja
