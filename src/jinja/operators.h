#pragma once

#include <optional>
#include <string>

#include "jinja/ast.h"

namespace cleave::jinja {

/// a + b and its like, as Python's types define them. Raises what Python raises.
Value operate(Operation operation, const Value& a, const Value& b, Context& context);
Value negate(const Value& value, bool negative);
bool compare(Comparison comparison, const Value& a, const Value& b, Context& context);

/// value.name: an attribute, then an item of that name, as Jinja2 has it; undefined where there is neither.
Value get_attribute(const Value& value, const std::string& name, Context& context);
/// value[key]: an item, then, for a text, an attribute of that name.
Value get_item(const Value& value, const Value& key, Context& context);
/// value[start:stop:step]; nothing where one is left out.
Value get_slice(const Value& value, const Value& start, const Value& stop, const Value& step, Context& context);
/// value.name(arguments), without making an object of the method.
Value call_method(const Value& value, const std::string& name, const Arguments& arguments, Context& context);
Value call(const Value& function, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
