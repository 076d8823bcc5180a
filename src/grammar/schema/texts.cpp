#include "grammar/schema/texts.h"

#include <algorithm>

#include "grammar/regex/regex_parser.h"
#include "grammar/schema/formats.h"
#include "unicode/utf8.h"

namespace cleave::grammar {
namespace {

uint32_t added(uint32_t a, uint32_t b) {
  return a == kUnbounded || b == kUnbounded ? kUnbounded
                                            : static_cast<uint32_t>(std::min<uint64_t>(uint64_t{a} + b, kUnbounded));
}

uint32_t times(uint32_t a, uint32_t b) {
  if (a == 0 || b == 0) return 0;
  if (a == kUnbounded || b == kUnbounded) return kUnbounded;
  return static_cast<uint32_t>(std::min<uint64_t>(uint64_t{a} * b, kUnbounded));
}

uint32_t count_characters(std::string_view text) {
  return static_cast<uint32_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (static_cast<uint8_t>(byte) & 0xC0) != 0x80; }));
}

Expression characters(uint32_t min, uint32_t max) {
  return Expression::repeat(Expression::characters(CodePoints::all()), min, max);
}

}  // namespace

std::pair<uint32_t, uint32_t> characters_of(const Expression& expression) {
  uint32_t least = 0, most = 0;
  switch (expression.kind) {
    case Expression::Kind::Characters:
      return {1, 1};
    case Expression::Kind::Text:
      return {count_characters(expression.text), count_characters(expression.text)};
    case Expression::Kind::Sequence:
      for (const Expression& part : expression.parts) {
        const auto [part_least, part_most] = characters_of(part);
        least = added(least, part_least);
        most = added(most, part_most);
      }
      return {least, most};
    case Expression::Kind::Choice:
      least = kUnbounded;
      for (const Expression& part : expression.parts) {
        const auto [part_least, part_most] = characters_of(part);
        least = std::min(least, part_least);
        most = std::max(most, part_most);
      }
      return {least, most};
    case Expression::Kind::Repeat: {
      const auto [part_least, part_most] = characters_of(expression.parts.front());
      return {times(part_least, expression.min), times(part_most, expression.max)};
    }
    default:
      return {0, kUnbounded};
  }
}

const Expression& Texts::expression(const TextRule& rule) {
  const Key key(rule.kind, rule.text);
  if (const auto known = expressions_.find(key); known != expressions_.end()) return known->second;
  Expression made;
  switch (rule.kind) {
    case TextRule::Kind::Pattern:
      made = text_around(parse_regex(rule.text, "pattern", budget_), "pattern");
      break;
    case TextRule::Kind::Format:
      made = whole_text(parse_regex(format_pattern(rule.text), "format", budget_), "format");
      break;
    case TextRule::Kind::Text:
      made = Expression::literal(rule.text);
      break;
  }
  return expressions_[key] = std::move(made);
}

const Dfa& Texts::dfa(const TextRule& rule) {
  const Key key(rule.kind, rule.text);
  const auto known = dfas_.find(key);
  if (known != dfas_.end()) return known->second;
  return dfas_.emplace(key, Dfa(expression(rule), Encoding::Json, budget_)).first->second;
}

const Dfa& Texts::all() {
  if (!all_) all_ = std::make_unique<Dfa>(Expression::anything(), Encoding::Json, budget_);
  return *all_;
}

Dfa Texts::strings(const StringRule& rule) {
  uint32_t least = 0, most = kUnbounded;
  Dfa strings = all();
  for (const TextRule& text : rule.texts) {
    strings = strings.combined(dfa(text), text.negated ? Dfa::Combination::FirstOnly : Dfa::Combination::Both, budget_);
    if (text.negated) continue;
    const auto [text_least, text_most] = characters_of(expression(text));
    least = std::max(least, text_least);
    most = std::min(most, text_most);
  }
  if (rule.min <= least && most <= rule.max) return strings;
  const Dfa lengths(characters(rule.min, rule.max), Encoding::Json, budget_);
  return strings.combined(lengths, Dfa::Combination::Both, budget_);
}

bool Texts::allows(const StringRule& rule, const std::string& text) {
  const uint32_t count = count_characters(text);
  if (count < rule.min || count > rule.max) return false;
  const std::string spelled = json_spelling(text);
  return std::all_of(rule.texts.begin(), rule.texts.end(),
                     [&](const TextRule& condition) { return dfa(condition).accepts(spelled) != condition.negated; });
}

bool Texts::disjoint(const StringRule& a, const StringRule& b) {
  const StringRule common = together(a, b);
  if (common.min > common.max) return true;
  return !common.texts.empty() && strings(common).empty();
}

StringRule together(StringRule a, const StringRule& b) {
  a.min = std::max(a.min, b.min);
  a.max = std::min(a.max, b.max);
  a.texts.insert(a.texts.end(), b.texts.begin(), b.texts.end());
  return a;
}

}  // namespace cleave::grammar
