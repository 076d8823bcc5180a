#include "grammar/schema/schema_compiler.h"

#include <algorithm>

#include "grammar/program/encode.h"
#include "grammar/regex/emit.h"
#include "grammar/schema/object_members.h"

namespace cleave::grammar {

SchemaCompiler::SchemaCompiler(const OrderedJson& root, JsonRules& rules)
    : rules_(rules), builder_(rules.builder()), texts_(builder_.budget()), resolver_(root, texts_) {}

uint32_t SchemaCompiler::compile(const OrderedJson& root) {
  const uint32_t rule = rule_of({{&root}});
  for (; !pending_.empty(); pending_.pop_front()) fill(pending_.front().first, pending_.front().second);
  return rule;
}

uint32_t SchemaCompiler::rule_of(const Terms& terms) {
  if (terms.empty()) return rules_.value();
  const auto known = made_.find(terms);
  if (known != made_.end()) return known->second;
  const uint32_t rule = builder_.add_rule("a schema");
  pending_.emplace_back(rule, terms);
  return made_[terms] = rule;
}

void SchemaCompiler::fill(uint32_t rule, const Terms& terms) {
  const Alternatives& all = resolver_.resolve(terms);
  const uint32_t from = builder_.start(rule), to = builder_.end(rule);
  if (is_anything(all)) return builder_.call(from, rules_.value(), 1, 1, to);
  for (const Alternative& alternative : all) {
    builder_.budget().step();
    std::visit([&](const auto& own) { add(from, own, to); }, alternative);
  }
}

void SchemaCompiler::add(uint32_t from, const NullRule&, uint32_t to) {
  builder_.literal(from, "null", to);
}

void SchemaCompiler::add(uint32_t from, const BooleanRule&, uint32_t to) {
  builder_.literal(from, "true", to);
  builder_.literal(from, "false", to);
}

void SchemaCompiler::add(uint32_t from, const NumberRule& rule, uint32_t to) {
  if (rule.unconstrained()) return builder_.call(from, rule.integer ? rules_.integer() : rules_.number(), 1, 1, to);
  number_texts(rule, builder_.budget()).emit(builder_, from, to);
}

void SchemaCompiler::add(uint32_t from, const StringRule& rule, uint32_t to) {
  if (rule.texts.empty()) {
    if (rule.min == 0 && rule.max == kUnbounded) return builder_.call(from, rules_.string(), 1, 1, to);
    return rules_.add_string(from, rule.min, rule.max, to);
  }
  const uint32_t begin = builder_.add_node(), end = builder_.add_node();
  builder_.literal(from, "\"", begin);
  builder_.literal(end, "\"", to);
  const bool single = rule.texts.size() == 1 && !rule.texts.front().negated;
  const auto [least, most] = single ? characters_of(texts_.expression(rule.texts.front())) : std::pair(0u, 0u);
  // A pattern alone needs no product, and so its repetitions may be as large as they like.
  if (single && rule.min <= least && most <= rule.max)
    return emit(builder_, begin, texts_.expression(rule.texts.front()), Encoding::Json, Repetition::Called, end);
  const Dfa::Tail tail{&texts_.all(), rules_.spelled_character()};
  texts_.strings(rule).emit(builder_, begin, end, &tail);
}

void SchemaCompiler::add(uint32_t from, const ArrayRule& rule, uint32_t to) {
  if (rule.min > rule.max) return;
  const uint32_t open = builder_.add_node(), first = builder_.add_node();
  const uint32_t last = builder_.add_node(), close = builder_.add_node();
  builder_.literal(from, "[", open);
  rules_.add_space(open, first);
  if (rule.min == 0) builder_.literal(first, "]", to);
  add_items(first, rule, last);
  rules_.add_space(last, close);
  builder_.literal(close, "]", to);
}

// One item at least. Those with a schema of their own each are nodes in a row, the others are counted.
void SchemaCompiler::add_items(uint32_t from, const ArrayRule& rule, uint32_t to) {
  const auto prefix = static_cast<uint32_t>(std::min<size_t>(rule.prefix_size(), rule.max));
  for (uint32_t i = 0; i < prefix; ++i) {
    const uint32_t behind = builder_.add_node();
    uint32_t begin = from;
    if (i > 0) {
      const uint32_t comma = builder_.add_node();
      begin = builder_.add_node();
      builder_.literal(from, ",", comma);
      rules_.add_space(comma, begin);
    }
    builder_.call(begin, rule_of(rule.item(i)), 1, 1, behind);
    if (i + 1 >= rule.min) builder_.empty(behind, to);
    from = behind;
  }
  const uint32_t max = rule.max == kUnbounded ? rule.max : rule.max - prefix;
  const uint32_t min = std::max<uint32_t>(rule.min > prefix ? rule.min - prefix : 0, prefix == 0 ? 1 : 0);
  if (max > 0) rules_.add_list(from, rule_of(rule.item(prefix)), min, max, prefix == 0, to);
}

void SchemaCompiler::add(uint32_t from, const ObjectRule& rule, uint32_t to) {
  const uint32_t open = builder_.add_node(), first = builder_.add_node(), last = builder_.add_node();
  const uint32_t close = builder_.add_node();
  builder_.literal(from, "{", open);
  rules_.add_space(open, first);
  ObjectMembers members(rule, rules_, texts_, resolver_, [&](const Terms& terms) { return rule_of(terms); });
  if (members.may_be_empty()) builder_.literal(first, "}", to);
  members.add(first, last);
  rules_.add_space(last, close);
  builder_.literal(close, "}", to);
}

void SchemaCompiler::add(uint32_t from, const ValuesRule& rule, uint32_t to) {
  for (const OrderedJson& value : rule.values) add_value(from, value, to);
}

void SchemaCompiler::add_value(uint32_t from, const OrderedJson& value, uint32_t to) {
  if (value.is_structured()) return add_composite(from, value, to);
  if (value.is_string()) return builder_.literal(from, json_quoted(value.get<std::string>()), to);
  builder_.literal(from, value.dump(), to);
}

void SchemaCompiler::add_composite(uint32_t from, const OrderedJson& value, uint32_t to) {
  const bool object = value.is_object();
  uint32_t behind = builder_.add_node();
  builder_.literal(from, object ? "{" : "[", behind);
  bool first = true;
  for (const auto& [key, item] : value.items()) {
    uint32_t next = builder_.add_node();
    if (!std::exchange(first, false)) {
      const uint32_t comma = builder_.add_node();
      builder_.literal(behind, ",", comma);
      behind = comma;
    }
    rules_.add_space(behind, next);
    behind = next;
    if (object) {
      const uint32_t colon = builder_.add_node(), begin = builder_.add_node();
      builder_.literal(behind, json_quoted(key) + ":", colon);
      rules_.add_space(colon, begin);
      behind = begin;
    }
    next = builder_.add_node();
    add_value(behind, item, next);
    behind = next;
  }
  const uint32_t close = builder_.add_node();
  rules_.add_space(behind, close);
  builder_.literal(close, object ? "}" : "]", to);
}

}  // namespace cleave::grammar
