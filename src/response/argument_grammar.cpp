#include "response/argument_grammar.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace cleave::response {
namespace {

using Kind = SyntaxPiece::Kind;

// Keywords that say nothing of what is valid.
constexpr std::array<std::string_view, 8> kRemarks = {"title",    "description", "default",    "examples",
                                                      "$comment", "$schema",     "deprecated", "readOnly"};
// Keywords of parameters that the grammar of tagged arguments holds.
constexpr std::array<std::string_view, 6> kOfParameters = {"type",  "properties",  "required",
                                                           "$defs", "definitions", "additionalProperties"};
// Of a string that stands as it is between marks.
constexpr std::array<std::string_view, 3> kOfStrings = {"type", "enum", "const"};

bool is_among(std::span<const std::string_view> keywords, std::string_view keyword) {
  return std::ranges::find(keywords, keyword) != keywords.end();
}

// The first keyword of a schema that is neither a remark nor among the given ones; "" where there is none.
std::string other_keyword(const OrderedJson& schema, std::span<const std::string_view> keywords) {
  if (!schema.is_object()) return "";
  for (const auto& [keyword, value] : schema.items())
    if (!is_among(kRemarks, keyword) && !is_among(keywords, keyword)) return keyword;
  return "";
}

SyntaxPiece free_piece(const std::string& mark) {
  return {.kind = Kind::Free, .text = mark};
}

/// The arguments of one call.
class ArgumentGrammar {
 public:
  ArgumentGrammar(const CallSyntax& syntax, const OrderedJson& parameters)
      : marks_(syntax.arguments), style_(syntax.style), parameters_(parameters) {}

  SyntaxPiece write() const {
    std::vector<SyntaxPiece> required;
    std::vector<SyntaxPiece> others;
    const bool in_order = marks_.separator.empty();
    const OrderedJson properties = all_properties();
    for (const auto& [key, schema] : properties.items()) {
      const bool must = is_required(key);
      SyntaxPiece piece = argument(key, schema);
      if (must || in_order)
        required.push_back(must ? std::move(piece) : optional_piece(std::move(piece)));
      else
        others.push_back(std::move(piece));
    }
    std::vector<SyntaxPiece> all = {in_order ? sequence_piece(std::move(required)) : separated(required, others)};
    all.push_back(literal_piece(marks_.end));
    return sequence_piece(std::move(all));
  }

 private:
  // Those that the schema describes, and those that it wants without a description.
  OrderedJson all_properties() const {
    OrderedJson properties = parameters_.value("properties", OrderedJson::object());
    if (!properties.is_object()) properties = OrderedJson::object();
    const OrderedJson required = parameters_.value("required", OrderedJson::array());
    for (const OrderedJson& key : required)
      if (key.is_string() && !properties.contains(key.get<std::string>())) properties[key.get<std::string>()] = true;
    return properties;
  }

  bool is_required(const std::string& key) const {
    const OrderedJson required = parameters_.value("required", OrderedJson::array());
    return required.is_array() && std::find(required.begin(), required.end(), key) != required.end();
  }

  SyntaxPiece argument(const std::string& key, const OrderedJson& schema) const {
    const std::vector<std::string> types = schema_types(schema, parameters_);
    const bool is_text = types.empty() || std::find(types.begin(), types.end(), "string") != types.end();
    const bool has_other = !is_text && !marks_.key_end_other.empty();
    std::vector<SyntaxPiece> parts = {
        literal_piece(marks_.open + key + (has_other ? marks_.key_end_other : marks_.key_end))};
    const bool is_raw = is_text && marks_.raw_strings;
    const bool is_quoted = is_text && !marks_.raw_strings && style_.quote != "\"";
    if (is_raw || is_quoted) {
      text_value(schema, is_quoted ? style_.quote : "", parts);
    } else {
      parts.push_back(schema_piece(with_definitions(schema)));
      parts.push_back(literal_piece(marks_.close));
    }
    return sequence_piece(std::move(parts));
  }

  // A string as it stands: one of those that the schema lists, or any.
  void text_value(const OrderedJson& schema, const std::string& quote, std::vector<SyntaxPiece>& parts) const {
    std::vector<SyntaxPiece> choices;
    const auto add = [&](const OrderedJson& value) {
      if (value.is_string()) choices.push_back(literal_piece(quote + value.get<std::string>() + quote + marks_.close));
    };
    if (schema.is_object() && schema.contains("enum") && schema["enum"].is_array())
      for (const OrderedJson& value : schema["enum"]) add(value);
    if (choices.empty() && schema.is_object() && schema.contains("const")) add(schema["const"]);
    if (!choices.empty()) return parts.push_back(choice_piece(std::move(choices)));
    if (quote.empty()) return parts.push_back(free_piece(marks_.close));
    parts.insert(parts.end(), {literal_piece(quote), free_piece(quote), literal_piece(marks_.close)});
  }

  // A schema of a part, which may refer to definitions of the whole.
  OrderedJson with_definitions(OrderedJson schema) const {
    if (!schema.is_object()) return schema;
    for (const char* key : {"$defs", "definitions"})
      if (parameters_.contains(key) && !schema.contains(key)) schema[key] = parameters_[key];
    return schema;
  }

  // Required arguments, then any of the others in their order, with the separator between them.
  SyntaxPiece separated(std::vector<SyntaxPiece> required, const std::vector<SyntaxPiece>& others) const {
    const auto behind_another = [&](const SyntaxPiece& piece) {
      return sequence_piece({literal_piece(marks_.separator), piece});
    };
    const auto rest_from = [&](size_t begin) {
      std::vector<SyntaxPiece> rest;
      for (size_t i = begin; i < others.size(); ++i) rest.push_back(optional_piece(behind_another(others[i])));
      return rest;
    };
    if (required.empty()) {
      std::vector<SyntaxPiece> choices;
      for (size_t i = 0; i < others.size(); ++i)
        choices.push_back(sequence_piece({others[i], sequence_piece(rest_from(i + 1))}));
      return choices.empty() ? sequence_piece({}) : optional_piece(choice_piece(std::move(choices)));
    }
    for (size_t i = 1; i < required.size(); ++i) required[i] = behind_another(required[i]);
    required.push_back(sequence_piece(rest_from(0)));
    return sequence_piece(std::move(required));
  }

  const ArgumentMarks& marks_;
  const LiteralStyle& style_;
  const OrderedJson& parameters_;
};

}  // namespace

SyntaxPiece literal_piece(std::string text) {
  return {.kind = Kind::Literal, .text = std::move(text)};
}

SyntaxPiece sequence_piece(std::vector<SyntaxPiece> parts) {
  return {.kind = Kind::Sequence, .parts = std::move(parts)};
}

SyntaxPiece choice_piece(std::vector<SyntaxPiece> parts) {
  return {.kind = Kind::Choice, .parts = std::move(parts)};
}

SyntaxPiece schema_piece(OrderedJson schema) {
  return {.kind = Kind::Schema, .schema = std::move(schema)};
}

SyntaxPiece optional_piece(SyntaxPiece part) {
  return {.kind = Kind::Repeat, .parts = {std::move(part)}, .min = 0, .at_most_once = true};
}

SyntaxPiece any_number_piece(SyntaxPiece part) {
  return {.kind = Kind::Repeat, .parts = {std::move(part)}, .min = 0, .at_most_once = false};
}

std::string unheld_argument_keyword(const CallSyntax& syntax, const OrderedJson& parameters) {
  if (std::string keyword = other_keyword(parameters, kOfParameters); !keyword.empty()) return keyword;
  const bool only_json = !syntax.arguments.raw_strings && syntax.style.quote == "\"";
  const OrderedJson properties = parameters.value("properties", OrderedJson::object());
  if (only_json || !properties.is_object()) return "";
  for (const auto& [key, schema] : properties.items()) {
    const std::vector<std::string> types = schema_types(schema, parameters);
    if (!types.empty() && std::ranges::find(types, "string") == types.end()) continue;
    if (std::string keyword = other_keyword(schema, kOfStrings); !keyword.empty()) return keyword;
  }
  return "";
}

SyntaxPiece argument_grammar(const CallSyntax& syntax, const OrderedJson& parameters) {
  return ArgumentGrammar(syntax, parameters).write();
}

}  // namespace cleave::response
