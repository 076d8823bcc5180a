#pragma once

#include <optional>
#include <string>

#include "jinja/context.h"

namespace cleave::jinja {

/// How Python's json.dumps is asked to write.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // of one level; everything on one line where there is none
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

/// json.dumps(value). Raises TypeError for what JSON does not have.
std::string to_json(const Value& value, const JsonStyle& style, Context& context);

/// The filter tojson as Transformers defines it.
Value tojson_filter(Context& context, const Value& value, const Arguments& arguments);

}  // namespace cleave::jinja
