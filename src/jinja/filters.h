#pragma once

#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// value|name(arguments). Raises what Jinja2 raises, TemplateRuntimeError for a filter that it does not have.
Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments, Context& context);

using FilterFunction = Value (*)(Context&, const Value&, const Arguments&);
/// Parts of the table of filters, by what they are for; null where a part has no such filter.
FilterFunction find_text_filter(const std::string& name);
FilterFunction find_sequence_filter(const std::string& name);
FilterFunction find_number_filter(const std::string& name);

}  // namespace cleave::jinja
