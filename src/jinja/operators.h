#pragma once

#include <optional>
#include <string>

#include "jinja/ast.h"

namespace cleave::jinja {

/// The value of `a + b` and its like by the rules of Python's types. Raises what Python raises.
Value operate(Operation operation, const Value& a, const Value& b, Context& context);
/// The value of `-value` or `+value`. Raises TypeError if it is no number.
Value negate(const Value& value, bool negative);
/// The value of `a < b` and its like. Raises TypeError if the types have no order.
bool compare(Comparison comparison, const Value& a, const Value& b, Context& context);

/// The value of `value.name`: as in Jinja2 an attribute, otherwise an item of that name, otherwise undefined.
Value get_attribute(const Value& value, const std::string& name, Context& context);
/// The value of `value[key]`: an item, otherwise, if the key is a text, an attribute of that name, otherwise undefined.
Value get_item(const Value& value, const Value& key, Context& context);
/// The value of `value[start:stop:step]`; None stands for a bound that is left out. Raises what Python raises.
Value get_slice(const Value& value, const Value& start, const Value& stop, const Value& step, Context& context);
/// The value of `value.name(arguments)`, without making an object of the method. Raises what Python raises.
Value call_method(const Value& value, const std::string& name, const Arguments& arguments, Context& context);
/// The value of `function(arguments)`. Raises TypeError if it is no function.
Value call(const Value& function, const Arguments& arguments, Context& context);

}  // namespace cleave::jinja
