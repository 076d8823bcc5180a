#pragma once

#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// The value of `value|name(arguments)`. Raises what Jinja2 raises: TemplateRuntimeError for an unknown filter.
Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments, Context& context);

/// Whether Jinja2 has a filter of that name.
bool is_filter(const std::string& name);

/// A filter as a function of the value and the arguments.
using FilterFunction = Value (*)(Context&, const Value&, const Arguments&);
/// The filter of that name for texts, for sequences and for numbers; null if there is none among those.
FilterFunction find_text_filter(const std::string& name);
FilterFunction find_sequence_filter(const std::string& name);
FilterFunction find_number_filter(const std::string& name);

}  // namespace cleave::jinja
