#include "grammar/schema/json_rules.h"

#include "grammar/program/encode.h"
#include "grammar/regex/emit.h"
#include "grammar/schema/number_texts.h"

namespace cleave::grammar {
namespace {

constexpr uint32_t kMaxIndent = 40;

void emit_utf8(ProgramBuilder& builder, uint32_t from, const Expression& expression, uint32_t to) {
  emit(builder, from, expression, Encoding::Utf8, Repetition::Unrolled, to);
}

}  // namespace

template <class Make>
uint32_t JsonRules::once(std::optional<uint32_t>& rule, const char* name, Make make) {
  if (!rule) {
    rule = builder_.add_rule(name);  // before it is made: rules call themselves
    make(builder_.start(*rule), builder_.end(*rule));
  }
  return *rule;
}

uint32_t JsonRules::space() {
  return once(space_, "white space", [&](uint32_t start, uint32_t end) {
    const Expression blank = Expression::characters(CodePoints({{'\t', '\t'}, {' ', ' '}}));
    emit_utf8(builder_, start, Expression::literal(" "), end);
    emit_utf8(builder_, start,
              Expression::sequence({Expression::literal("\n"), Expression::repeat(blank, 0, kMaxIndent)}), end);
  });
}

uint32_t JsonRules::character() {
  const bool is_new = !character_;
  once(character_, "a character", [&](uint32_t start, uint32_t end) { add_any_json_character(builder_, start, end); });
  if (is_new) builder_.set_character(*character_);
  return *character_;
}

uint32_t JsonRules::spelled_character() {
  const bool is_new = !spelled_;
  once(spelled_, "a character",
       [&](uint32_t start, uint32_t end) { add_characters(builder_, start, CodePoints::all(), Encoding::Json, end); });
  if (is_new) builder_.set_character(*spelled_);
  return *spelled_;
}

uint32_t JsonRules::number() {
  return once(number_, "a number",
              [&](uint32_t start, uint32_t end) { emit_utf8(builder_, start, any_number(), end); });
}

uint32_t JsonRules::integer() {
  return once(integer_, "an integer",
              [&](uint32_t start, uint32_t end) { emit_utf8(builder_, start, any_integer(), end); });
}

void JsonRules::add_string(uint32_t from, uint32_t min, uint32_t max, uint32_t to) {
  const uint32_t begin = builder_.add_node(), end = builder_.add_node();
  builder_.literal(from, "\"", begin);
  builder_.call(begin, character(), min, max, end);
  builder_.literal(end, "\"", to);
}

uint32_t JsonRules::string() {
  return once(string_, "a string", [&](uint32_t start, uint32_t end) { add_string(start, 0, kUnbounded, end); });
}

void JsonRules::add_value(uint32_t from, uint32_t value, uint32_t to) {
  const uint32_t colon = builder_.add_node(), begin = builder_.add_node();
  builder_.literal(from, ":", colon);
  add_space(colon, begin);
  builder_.call(begin, value, 1, 1, to);
}

void JsonRules::add_list(uint32_t from, uint32_t item, uint32_t min, uint32_t max, bool first, uint32_t to) {
  if (min == 0) builder_.empty(from, to);
  if (max == 0) return;
  const uint32_t more = builder_.add_rule("a further item");
  const uint32_t comma = builder_.add_node(), begin = builder_.add_node();
  builder_.literal(builder_.start(more), ",", comma);
  add_space(comma, begin);
  builder_.call(begin, item, 1, 1, builder_.end(more));
  const uint32_t below = first ? 1 : 0;  // items that `more` does not take
  if (first) {
    const uint32_t behind = builder_.add_node();
    builder_.call(from, item, 1, 1, behind);
    from = behind;
  }
  builder_.call(from, more, min > below ? min - below : 0, max == kUnbounded ? max : max - below, to);
}

uint32_t JsonRules::member() {
  return once(member_, "a member", [&](uint32_t start, uint32_t end) {
    const uint32_t begin = builder_.add_node(), behind = builder_.add_node(), colon = builder_.add_node();
    builder_.literal(start, "\"", begin);
    builder_.call(begin, spelled_character(), 0, kUnbounded, behind);
    builder_.literal(behind, "\"", colon);
    add_value(colon, value(), end);
  });
}

uint32_t JsonRules::object() {
  builder_.set_unique_keys();
  return once(object_, "an object", [&](uint32_t start, uint32_t end) {
    const uint32_t open = builder_.add_node(), first = builder_.add_node(), last = builder_.add_node();
    const uint32_t close = builder_.add_node();
    builder_.literal(start, "{", open);
    add_space(open, first);
    builder_.literal(first, "}", end);
    add_list(first, member(), 1, kUnbounded, true, last);
    add_space(last, close);
    builder_.literal(close, "}", end);
  });
}

uint32_t JsonRules::array() {
  return once(array_, "an array", [&](uint32_t start, uint32_t end) {
    const uint32_t open = builder_.add_node(), first = builder_.add_node(), last = builder_.add_node();
    const uint32_t close = builder_.add_node();
    builder_.literal(start, "[", open);
    add_space(open, first);
    builder_.literal(first, "]", end);
    add_list(first, value(), 1, kUnbounded, true, last);
    add_space(last, close);
    builder_.literal(close, "]", end);
  });
}

uint32_t JsonRules::value() {
  return once(value_, "a value", [&](uint32_t start, uint32_t end) {
    for (const char* literal : {"null", "true", "false"}) builder_.literal(start, literal, end);
    for (const uint32_t rule : {string(), number(), object(), array()}) builder_.call(start, rule, 1, 1, end);
  });
}

}  // namespace cleave::grammar
