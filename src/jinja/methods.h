#pragma once

#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

using Method = Value (*)(Context&, const Value& self, const Arguments&);

/// A method of Python's str, list, tuple or dict that changes nothing; null where the type has none of that name.
Method find_method(const Value& value, const std::string& name);

}  // namespace cleave::jinja
