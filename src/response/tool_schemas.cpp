#include "response/tool_schemas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "response/literal.h"
#include "response/mark.h"

namespace cleave::response {
namespace {

constexpr int kMaxDepth = 8;  // of references and choices

const char* type_of(const OrderedJson& value) {
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  if (value.is_number()) return "number";
  if (value.is_array()) return "array";
  return value.is_object() ? "object" : "null";
}

class TypeCollector {
 public:
  explicit TypeCollector(const OrderedJson& root) : root_(root) {}

  void collect(const OrderedJson& schema, int depth) {
    if (!schema.is_object() || depth > kMaxDepth) return;
    if (schema.contains("type")) declared(schema["type"]);
    if (schema.contains("const")) add(type_of(schema["const"]));
    if (schema.contains("enum") && schema["enum"].is_array() && !schema.contains("type"))
      for (const OrderedJson& value : schema["enum"]) add(type_of(value));
    for (const char* choice : {"anyOf", "oneOf", "allOf"})
      if (schema.contains(choice) && schema[choice].is_array())
        for (const OrderedJson& option : schema[choice]) collect(option, depth + 1);
    if (schema.contains("$ref") && schema["$ref"].is_string()) refer(schema["$ref"].get<std::string>(), depth);
    if (schema.contains("nullable") && schema["nullable"] == true) add("null");
  }

  std::vector<std::string> take() { return std::move(types_); }

 private:
  void declared(const OrderedJson& type) {
    if (type.is_string()) add(type.get<std::string>());
    if (!type.is_array()) return;
    for (const OrderedJson& one : type)
      if (one.is_string()) add(one.get<std::string>());
  }

  void refer(const std::string& reference, int depth) {
    if (reference.size() < 2 || reference[0] != '#') return;
    try {
      collect(root_.at(OrderedJson::json_pointer(reference.substr(1))), depth + 1);
    } catch (const OrderedJson::exception&) {
      return;  // it points nowhere, and says nothing
    }
  }

  void add(const std::string& type) {
    if (std::find(types_.begin(), types_.end(), type) == types_.end()) types_.push_back(type);
  }

  const OrderedJson& root_;
  std::vector<std::string> types_;
};

bool fits(const OrderedJson& value, const std::string& type) {
  if (type == "number") return value.is_number();
  if (type == "integer" && value.is_number_float()) return value == std::floor(value.get<double>());
  return type == type_of(value);
}

}  // namespace

ToolSchemas::ToolSchemas(std::string_view tools) : tables_(read(tools)) {}

std::shared_ptr<const ToolSchemas::Tables> ToolSchemas::read(std::string_view tools) {
  auto tables = std::make_shared<Tables>();
  if (trimmed(tools).empty()) return tables;
  OrderedJson list;
  try {
    list = parse_ordered_json(tools, "tools");
  } catch (const Error& error) {
    throw Error(ErrorKind::InvalidArgument, error.what());
  }
  if (list.is_null()) return tables;
  if (!list.is_array()) fail(ErrorKind::InvalidArgument, "tools: wanted a list");
  for (const OrderedJson& tool : list) {
    if (!tool.is_object()) fail(ErrorKind::InvalidArgument, "tools: wanted a list of objects");
    const OrderedJson& function = tool.contains("function") ? tool["function"] : tool;
    if (!function.is_object() || !function.contains("name") || !function["name"].is_string()) continue;
    const std::string name = function["name"].get<std::string>();
    const bool described = function.contains("parameters") && function["parameters"].is_object();
    if (tables->parameters.emplace(name, described ? function["parameters"] : OrderedJson{{"type", "object"}}).second)
      tables->names.push_back(name);
  }
  return tables;
}

std::vector<std::string> ToolSchemas::types(const std::string& name, const std::string& parameter) const {
  const auto tool = tables_->parameters.find(name);
  if (tool == tables_->parameters.end() || !tool->second.contains("properties")) return {};
  const OrderedJson& properties = tool->second["properties"];
  if (!properties.is_object() || !properties.contains(parameter)) return {};
  return schema_types(properties[parameter], tool->second);
}

std::vector<std::string> schema_types(const OrderedJson& schema, const OrderedJson& root) {
  TypeCollector collector(root);
  collector.collect(schema, 0);
  return collector.take();
}

std::string raw_value(std::string_view text, const std::vector<std::string>& types) {
  LiteralStyle python;
  python.python = true;
  const std::string_view inside = trimmed(text);
  const std::optional<OrderedJson> json = parse_literal(inside, LiteralStyle{});
  const std::optional<OrderedJson> value = json ? json : parse_literal(inside, python);
  const std::string as_string = fmt::format("\"{}\"", json_escaped(text));
  if (!value) return as_string;
  const std::string as_value = json && !json->is_structured() ? std::string(inside) : json_text(*value);
  if (types.empty()) return value->is_string() ? as_string : as_value;
  if (value->is_null() && std::find(types.begin(), types.end(), "null") != types.end()) return as_value;
  for (const std::string& type : types) {
    if (type == "string") return as_string;
    if (fits(*value, type)) return as_value;
  }
  return as_string;
}

}  // namespace cleave::response
