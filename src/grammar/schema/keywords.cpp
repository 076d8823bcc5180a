#include "grammar/schema/keywords.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::grammar {
namespace {

constexpr std::array kTyped{"type",
                            "minimum",
                            "maximum",
                            "exclusiveMinimum",
                            "exclusiveMaximum",
                            "multipleOf",
                            "minLength",
                            "maxLength",
                            "pattern",
                            "format",
                            "items",
                            "prefixItems",
                            "additionalItems",
                            "minItems",
                            "maxItems",
                            "uniqueItems",
                            "properties",
                            "patternProperties",
                            "additionalProperties",
                            "propertyNames",
                            "required",
                            "minProperties",
                            "maxProperties"};

// Keywords of JSON Schema's drafts that would change what is allowed.
constexpr std::array kUnsupported{"contains", "minContains", "maxContains", "$dynamicRef",         "$recursiveRef",
                                  "extends",  "disallow",    "divisibleBy", "propertyDependencies"};

constexpr std::array<std::pair<const char*, size_t>, 7> kTypes{
    {{"null", 0}, {"boolean", 1}, {"number", 2}, {"integer", 2}, {"string", 3}, {"array", 4}, {"object", 5}}};

uint32_t count_of(const OrderedJson& value, const std::string& where, std::string_view keyword) {
  if (value.is_number_float() && value.get<double>() >= 0 && value.get<double>() < 1e9 &&
      value.get<double>() == static_cast<double>(static_cast<uint32_t>(value.get<double>())))
    return static_cast<uint32_t>(value.get<double>());  // 2.0 is an integer
  if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<int64_t>() < 0))
    wrong_keyword(where, keyword, "a whole number from 0 on");
  return static_cast<uint32_t>(std::min<uint64_t>(value.get<uint64_t>(), kUnbounded));
}

class TypedReader {
 public:
  TypedReader(const OrderedJson& schema, const std::string& where) : schema_(schema), where_(where) {}

  Alternatives read() const {
    const std::vector<std::string> types =
        find("type") ? type_names()
                     : std::vector<std::string>{"null", "boolean", "number", "string", "array", "object"};
    const bool has_number = std::find(types.begin(), types.end(), "number") != types.end();
    Alternatives all;
    for (const std::string& type : types) {
      if (type == "null") all.emplace_back(NullRule{});
      if (type == "boolean") all.emplace_back(BooleanRule{});
      if (type == "number" || (type == "integer" && !has_number)) all.emplace_back(number(type == "integer"));
      if (type == "string") all.emplace_back(string());
      if (type == "array") all.emplace_back(array());
      if (type == "object") all.emplace_back(object());
    }
    return all;
  }

 private:
  const OrderedJson* find(const char* keyword) const {
    const auto found = schema_.find(keyword);
    return found == schema_.end() ? nullptr : &*found;
  }
  [[noreturn]] void wrong(const char* keyword, std::string_view wanted) const {
    wrong_keyword(where_, keyword, wanted);
  }

  std::vector<std::string> type_names() const {
    const OrderedJson& type = schema_.at("type");
    const std::vector<std::string> names =
        type.is_string() ? std::vector{type.get<std::string>()} : strings_of(type, where_, "type");
    for (const std::string& name : names)
      if (std::none_of(kTypes.begin(), kTypes.end(), [&](const auto& known) { return known.first == name; }))
        wrong("type", "names of JSON types");
    return names;
  }

  NumberRule number(bool integer) const {
    NumberRule rule;
    rule.integer = integer;
    rule.min = limit("minimum", "exclusiveMinimum", 1);
    rule.max = limit("maximum", "exclusiveMaximum", -1);
    if (const OrderedJson* multiple = find("multipleOf")) {
      const auto value = decimal_of(*multiple);
      if (!value || value->negative || value->is_zero()) wrong("multipleOf", "a number above 0");
      rule.multiples.push_back(*value);
    }
    return rule;
  }

  // The stricter of the two limits of a side. In draft 4 the exclusive one is a flag of the other.
  std::optional<NumberLimit> limit(const char* inclusive, const char* exclusive, int inwards) const {
    std::optional<NumberLimit> stricter;
    for (const char* keyword : {inclusive, exclusive}) {
      const OrderedJson* value = find(keyword);
      if (value == nullptr) continue;
      if (keyword == exclusive && value->is_boolean()) {
        if (stricter) stricter->exclusive = value->get<bool>();
        continue;
      }
      const auto decimal = decimal_of(*value, inwards);
      if (!decimal) wrong(keyword, "a number");
      const int order = stricter ? decimal->compare(stricter->value) * inwards : 1;
      if (order > 0 || (order == 0 && keyword == exclusive)) stricter = NumberLimit{*decimal, keyword == exclusive};
    }
    return stricter;
  }

  StringRule string() const {
    StringRule rule;
    if (const OrderedJson* min = find("minLength")) rule.min = count_of(*min, where_, "minLength");
    if (const OrderedJson* max = find("maxLength")) rule.max = count_of(*max, where_, "maxLength");
    for (const auto& [keyword, kind] :
         {std::pair("pattern", TextRule::Kind::Pattern), std::pair("format", TextRule::Kind::Format)}) {
      const OrderedJson* text = find(keyword);
      if (text == nullptr) continue;
      if (!text->is_string()) wrong(keyword, "a string");
      rule.texts.push_back({kind, text->get<std::string>()});
    }
    return rule;
  }

  static bool is_schema(const OrderedJson& value) { return value.is_object() || value.is_boolean(); }
  Terms schema(const OrderedJson& value, const char* keyword) const {
    if (!is_schema(value)) wrong(keyword, "a schema");
    return value.is_boolean() && value.get<bool>() ? Terms{} : Terms{{&value}};
  }

  ArrayRule array() const {
    ArrayRule rule;
    ArrayRule::Layer layer;
    const OrderedJson *items = find("items"), *prefix = find("prefixItems"), *rest = items;
    // Before 2020-12 the prefix was called items, and the rest additionalItems.
    if (items != nullptr && items->is_array()) {
      prefix = items;
      rest = find("additionalItems");
    }
    if (prefix != nullptr) {
      if (!prefix->is_array()) wrong("prefixItems", "an array of schemas");
      for (const OrderedJson& item : *prefix) layer.prefix.push_back(schema(item, "prefixItems"));
    }
    if (rest != nullptr) layer.rest = schema(*rest, "items");
    layer.says_rest = rest != nullptr;
    if (layer.says_rest || !layer.prefix.empty()) rule.layers.push_back(std::move(layer));
    if (const OrderedJson* min = find("minItems")) rule.min = count_of(*min, where_, "minItems");
    if (const OrderedJson* max = find("maxItems")) rule.max = count_of(*max, where_, "maxItems");
    const OrderedJson* unique = find("uniqueItems");
    if (unique != nullptr && !unique->is_boolean()) wrong("uniqueItems", "true or false");
    if (unique != nullptr && unique->get<bool>() && rule.max > 1)
      fail(ErrorKind::Unsupported, "{}: uniqueItems is not supported where an array may have several items", where_);
    return rule;
  }

  ObjectRule object() const {
    ObjectRule rule;
    ObjectRule::Layer layer;
    layer.properties = schemas_by_name("properties");
    layer.patterns = schemas_by_name("patternProperties");
    if (const OrderedJson* additional = find("additionalProperties")) {
      layer.additional = schema(*additional, "additionalProperties");
      layer.says_additional = true;
    }
    if (layer.says_additional || !layer.properties.empty() || !layer.patterns.empty())
      rule.layers.push_back(std::move(layer));
    if (const OrderedJson* required = find("required")) rule.required = strings_of(*required, where_, "required");
    if (const OrderedJson* min = find("minProperties")) rule.min = count_of(*min, where_, "minProperties");
    if (const OrderedJson* max = find("maxProperties")) rule.max = count_of(*max, where_, "maxProperties");
    if (const OrderedJson* names = find("propertyNames")) rule.names.push_back(schema(*names, "propertyNames"));
    return rule;
  }

  std::vector<std::pair<std::string, Terms>> schemas_by_name(const char* keyword) const {
    std::vector<std::pair<std::string, Terms>> all;
    const OrderedJson* members = find(keyword);
    if (members == nullptr) return all;
    if (!members->is_object()) wrong(keyword, "an object of schemas");
    for (const auto& [name, value] : members->items()) all.emplace_back(name, schema(value, keyword));
    return all;
  }

  const OrderedJson& schema_;
  const std::string& where_;
};

}  // namespace

Alternatives read_typed(const OrderedJson& schema, const std::string& where) {
  return TypedReader(schema, where).read();
}

bool is_typed_keyword(std::string_view keyword) {
  return std::find(kTyped.begin(), kTyped.end(), keyword) != kTyped.end();
}

void refuse_unsupported(const OrderedJson& schema, const std::string& where) {
  for (const char* keyword : kUnsupported)
    if (schema.contains(keyword)) fail(ErrorKind::Unsupported, "{}: the keyword {} is not supported", where, keyword);
}

void wrong_keyword(const std::string& where, std::string_view keyword, std::string_view wanted) {
  fail(ErrorKind::InvalidArgument, "{}: the keyword {} wants {}", where, keyword, wanted);
}

std::vector<std::string> strings_of(const OrderedJson& value, const std::string& where, std::string_view keyword) {
  std::vector<std::string> strings;
  std::set<std::string_view> seen;
  if (!value.is_array()) wrong_keyword(where, keyword, "an array of strings");
  for (const OrderedJson& item : value) {
    if (!item.is_string()) wrong_keyword(where, keyword, "an array of strings");
    if (seen.insert(item.get_ref<const std::string&>()).second) strings.push_back(item.get<std::string>());
  }
  return strings;
}

const OrderedJson& always() {
  static const OrderedJson schema = true;
  return schema;
}

const OrderedJson& never() {
  static const OrderedJson schema = false;
  return schema;
}

}  // namespace cleave::grammar
