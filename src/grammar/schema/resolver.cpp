#include "grammar/schema/resolver.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "grammar/schema/keywords.h"
#include "grammar/schema/values.h"

namespace cleave::grammar {
namespace {

// Keywords that hold schemas, or values, for the value itself.
constexpr std::array kInPlace{
    "$ref",        "allOf", "anyOf", "oneOf", "enum", "const", "not", "if", "dependentRequired", "dependentSchemas",
    "dependencies"};

bool is_in_place(std::string_view keyword) {
  return std::find(kInPlace.begin(), kInPlace.end(), keyword) != kInPlace.end();
}

void append(Alternatives& list, const Alternatives& more) {
  list.insert(list.end(), more.begin(), more.end());
}

// Objects that have a member, or have none of that name.
Alternatives with_member(const std::string& name, bool there) {
  ObjectRule rule;
  if (there) {
    rule.required.push_back(name);
    return {rule};
  }
  rule.layers.emplace_back();
  rule.layers.back().properties.emplace_back(name, Terms{{&never()}});
  rule.layers.back().evaluates = false;
  Alternatives all = anything_but(rule);
  all.emplace_back(std::move(rule));
  return all;
}

}  // namespace

Resolver::Resolver(const OrderedJson& root, Texts& texts) : texts_(texts), references_(root), combine_(*this, texts) {}

const Alternatives& Resolver::resolve(const Terms& terms) {
  const auto known = resolved_.find(terms);
  if (known != resolved_.end()) return known->second;
  const Budget::Level level(texts_.budget());
  Alternatives all = anything();
  for (const Term& term : terms) {
    const Alternatives& own = read(term.node);
    all = combine_.both(all, term.negated ? combine_.opposite(own, references_.place(term.node)) : own);
  }
  return resolved_[terms] = std::move(all);
}

bool Resolver::allows(const Terms& terms, const OrderedJson& value) {
  const Alternatives& all = resolve(terms);
  return std::any_of(all.begin(), all.end(),
                     [&](const Alternative& alternative) { return allows(alternative, value); });
}

bool Resolver::allows(const Alternative& alternative, const OrderedJson& value) {
  texts_.budget().step();
  return Values(*this, texts_).allows(alternative, value);
}

Terms Resolver::member(const ObjectRule& rule, const std::string& name) {
  texts_.budget().look();
  Terms all;
  for (const ObjectRule::Layer& layer : rule.layers) {
    bool named = false;
    const auto add = [&](const Terms& terms) {
      all = joined(std::move(all), terms);
      named = true;
    };
    for (const auto& [property, terms] : layer.properties)
      if (property == name) add(terms);
    for (const auto& [pattern, terms] : layer.patterns)
      if (texts_.dfa({TextRule::Kind::Pattern, pattern}).accepts(json_spelling(name))) add(terms);
    if (!named) add(layer.additional);
  }
  for (const Terms& names : rule.names)
    if (!allows(names, OrderedJson(name))) all = joined(std::move(all), {{&never()}});
  return all;
}

const Alternatives& Resolver::read(const OrderedJson* node) {
  const auto known = read_.find(node);
  if (known != read_.end()) return known->second;
  const Budget::Level level(texts_.budget());
  const std::string where = references_.place(node);
  if (!reading_.insert(node).second)
    fail(ErrorKind::Unsupported, "{}: the schema refers to itself for one and the same value", where);
  Alternatives all;
  if (node->is_boolean())
    all = node->get<bool>() ? anything() : Alternatives();
  else if (node->is_object())
    all = read_schema(*node, where);
  else
    fail(ErrorKind::InvalidArgument, "{}: a schema is an object, true or false", where);
  reading_.erase(node);
  return read_[node] = std::move(all);
}

// Keywords in the order of the document, because the order of properties comes from it: those that are read together
// stand where `properties` does.
Alternatives Resolver::read_schema(const OrderedJson& schema, const std::string& where) {
  refuse_unsupported(schema, where);
  Alternatives all = anything();
  bool typed = false;
  const bool has_properties = schema.contains("properties");
  for (const auto& [keyword, value] : schema.items()) {
    const bool turn = has_properties ? keyword == "properties" : is_typed_keyword(keyword);
    if (turn && !std::exchange(typed, true)) all = combine_.both(all, read_typed(schema, where));
    if (is_in_place(keyword)) all = combine_.both(all, read_keyword(keyword, schema, where));
  }
  add_unevaluated(schema, all);
  return all;
}

const OrderedJson& Resolver::list_of(const std::string& keyword, const OrderedJson& value, const std::string& where) {
  if (!value.is_array() || value.empty()) wrong_keyword(where, keyword, "an array that is not empty");
  return value;
}

Alternatives Resolver::read_keyword(const std::string& keyword, const OrderedJson& schema, const std::string& where) {
  const OrderedJson& value = schema.at(keyword);
  if (keyword == "$ref") {
    if (!value.is_string()) wrong_keyword(where, keyword, "a string");
    return read(&references_.find(value.get<std::string>(), where));
  }
  if (keyword == "allOf") {
    Alternatives all = anything();
    for (const OrderedJson& part : list_of(keyword, value, where)) all = combine_.both(all, read(&part));
    return all;
  }
  if (keyword == "anyOf") return any_of(list_of(keyword, value, where), where);
  if (keyword == "oneOf") return one_of(list_of(keyword, value, where), where);
  if (keyword == "const") return {ValuesRule{{value}}};
  if (keyword == "not") return combine_.opposite(read(&value), where);
  if (keyword == "if") return if_then_else(schema, where);
  if (keyword != "enum") return dependent(keyword, value, where);
  if (!value.is_array()) wrong_keyword(where, keyword, "an array");
  if (value.empty()) return {};
  return {ValuesRule{std::vector<OrderedJson>(value.begin(), value.end())}};
}

Alternatives Resolver::any_of(const OrderedJson& list, const std::string& where) {
  Alternatives all;
  for (const OrderedJson& part : list) append(all, read(&part));
  texts_.budget().alternatives(all.size());
  return is_anything(all) ? anything() : all;
}

// Exactly one: each, without what overlapping others allow.
Alternatives Resolver::one_of(const OrderedJson& list, const std::string& where) {
  Alternatives all;
  for (size_t i = 0; i < list.size(); ++i) {
    Alternatives own = read(&list[i]);
    for (size_t k = 0; k < list.size(); ++k) {
      const Alternatives& other = read(&list[k]);
      if (k != i && !combine_.disjoint(own, other))
        own = combine_.both(own, combine_.opposite(other, where + "/oneOf"));
    }
    append(all, own);
    texts_.budget().alternatives(all.size());
  }
  return all;
}

Alternatives Resolver::if_then_else(const OrderedJson& schema, const std::string& where) {
  const bool has_then = schema.contains("then"), has_else = schema.contains("else");
  if (!has_then && !has_else) return anything();
  const Alternatives& condition = read(&schema.at("if"));
  Alternatives all = has_then ? combine_.both(condition, read(&schema.at("then"))) : condition;
  const Alternatives otherwise = combine_.opposite(condition, where + "/if");
  append(all, has_else ? combine_.both(otherwise, read(&schema.at("else"))) : otherwise);
  return all;
}

Alternatives Resolver::dependent(const std::string& keyword, const OrderedJson& members, const std::string& where) {
  if (!members.is_object()) wrong_keyword(where, keyword, "an object");
  Alternatives all = anything();
  for (const auto& [name, value] : members.items()) {
    Alternatives there = with_member(name, true);
    if (keyword == "dependentSchemas" || (keyword == "dependencies" && !value.is_array()))
      there = combine_.both(there, read(&value));
    else
      for (const std::string& other : strings_of(value, where, keyword))
        there = combine_.both(there, with_member(other, true));
    append(there, with_member(name, false));
    all = combine_.both(all, there);
  }
  return all;
}

namespace {

// What the layers of an object speak of is free, all else has a schema.
void add_unevaluated_members(ObjectRule& object, const OrderedJson& schema) {
  ObjectRule::Layer layer{{}, {}, {{&schema}}, true, true};
  for (const ObjectRule::Layer& other : object.layers) {
    if (!other.evaluates) continue;
    if (other.says_additional) return;
    for (const auto& [name, terms] : other.properties) layer.properties.emplace_back(name, Terms());
    for (const auto& [pattern, terms] : other.patterns) layer.patterns.emplace_back(pattern, Terms());
  }
  object.layers.push_back(std::move(layer));
}

void add_unevaluated_items(ArrayRule& array, const OrderedJson& schema) {
  ArrayRule::Layer layer{{}, {{&schema}}, true, true};
  for (const ArrayRule::Layer& other : array.layers) {
    if (!other.evaluates) continue;
    if (other.says_rest) return;
    layer.prefix.resize(std::max(layer.prefix.size(), other.prefix.size()));
  }
  array.layers.push_back(std::move(layer));
}

}  // namespace

// unevaluatedProperties and unevaluatedItems: what no schema for the same value speaks of.
void Resolver::add_unevaluated(const OrderedJson& schema, Alternatives& alternatives) {
  const auto properties = schema.find("unevaluatedProperties"), items = schema.find("unevaluatedItems");
  for (Alternative& alternative : alternatives) {
    auto* object = std::get_if<ObjectRule>(&alternative);
    if (object != nullptr && properties != schema.end()) add_unevaluated_members(*object, *properties);
    auto* array = std::get_if<ArrayRule>(&alternative);
    if (array != nullptr && items != schema.end()) add_unevaluated_items(*array, *items);
  }
}

}  // namespace cleave::grammar
