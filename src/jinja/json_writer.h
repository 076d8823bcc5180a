#pragma once

#include <optional>
#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// The options of Python's json.dumps.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // the text before each level; nothing writes all on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

/// Python's json.dumps(value). Raises TypeError for a value that JSON does not have.
std::string to_json(const Value& value, const JsonStyle& style, Context& context);

/// The filter tojson as Transformers defines it: json.dumps, without the escapes of Jinja2's own.
Value tojson_filter(Context& context, const Value& value, const Arguments& arguments);

}  // namespace cleave::jinja
