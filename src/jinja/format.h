#pragma once

#include <string>
#include <vector>

#include "jinja/context.h"

namespace cleave::jinja {

/// Python's "text" % values: %s, %r, %d, %i, %f, %g, %e, %x, %X, %o, %c and %%, with flags, width and precision.
std::string format_percent(const std::string& format, const std::vector<Value>& values, Context& context);

/// Python's "text".format(...): {}, {0}, {name}, {{ and }}; format specifications are not known.
std::string format_braces(const std::string& format, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
