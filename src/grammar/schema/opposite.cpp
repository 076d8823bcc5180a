#include "grammar/schema/opposite.h"

#include "base/error.h"
#include "grammar/schema/keywords.h"

namespace cleave::grammar {
namespace {

// A single condition's opposite is an alternative of its own; those of several conditions are alternatives.
class Opposite {
 public:
  Opposite(const std::string& where, const std::function<MemberKind(const Terms&)>& kind_of)
      : where_(where), kind_of_(kind_of) {}

  Alternatives take() { return std::move(all_); }

  void operator()(const NullRule& rule) { all_ = anything_but(rule); }
  void operator()(const BooleanRule& rule) { all_ = anything_but(rule); }

  void operator()(const NumberRule& rule) {
    all_ = anything_but(rule);
    if (rule.min)
      add<NumberRule>([&](NumberRule& other) { other.max = NumberLimit{rule.min->value, !rule.min->exclusive}; });
    if (rule.max)
      add<NumberRule>([&](NumberRule& other) { other.min = NumberLimit{rule.max->value, !rule.max->exclusive}; });
    if (rule.integer) add<NumberRule>([&](NumberRule& other) { other.not_multiples = {Decimal{false, "1", ""}}; });
    for (const Decimal& multiple : rule.multiples)
      add<NumberRule>([&](NumberRule& other) { other.not_multiples = {multiple}; });
    for (const Decimal& multiple : rule.not_multiples)
      add<NumberRule>([&](NumberRule& other) { other.multiples = {multiple}; });
  }

  void operator()(const StringRule& rule) {
    all_ = anything_but(rule);
    add_counts(rule);
    for (TextRule text : rule.texts) {
      text.negated = !text.negated;
      all_.emplace_back(StringRule{0, kUnbounded, {text}});
    }
  }

  void operator()(const ArrayRule& rule) {
    all_ = anything_but(rule);
    add_counts(rule);
    for (const ArrayRule::Layer& layer : rule.layers) {
      for (size_t i = 0; i < layer.prefix.size(); ++i) add_item(i, layer.prefix[i]);
      const MemberKind rest = kind_of_(layer.rest);
      if (rest == MemberKind::Something) refuse("items");
      if (rest == MemberKind::Nothing)
        add<ArrayRule>([&](ArrayRule& other) { other.min = static_cast<uint32_t>(layer.prefix.size()) + 1; });
    }
  }

  void operator()(const ObjectRule& rule) {
    all_ = anything_but(rule);
    add_counts(rule);
    if (!rule.names.empty()) refuse("propertyNames");
    for (const std::string& name : rule.required) add_layer(name, {{&never()}}, false);
    for (const ObjectRule::Layer& layer : rule.layers) {
      for (const auto& [name, terms] : layer.properties) add_members(name, terms);
      for (const auto& [pattern, terms] : layer.patterns)
        if (kind_of_(terms) != MemberKind::Anything) refuse("patternProperties");
      if (kind_of_(layer.additional) != MemberKind::Anything) refuse("additionalProperties");
    }
  }

  void operator()(const ValuesRule& rule) {
    all_ = anything();
    for (const OrderedJson& value : rule.values) {
      if (value.is_structured()) refuse("enum or const with an array or an object");
      Alternatives kept;
      for (const Alternative& alternative : all_) without(alternative, value, kept);
      all_ = std::move(kept);
    }
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    fail(ErrorKind::Unsupported, "{}: the opposite of {} is not supported (in not, oneOf, if)", where_, what);
  }

  template <class Rule, class Change>
  void add(Change change) {
    Rule rule;
    change(rule);
    all_.emplace_back(std::move(rule));
  }

  template <class Rule>
  void add_counts(const Rule& rule) {
    Rule other;
    if (rule.min > 0) {
      other.max = rule.min - 1;
      all_.emplace_back(other);
    }
    if (rule.max == kUnbounded) return;
    other.max = kUnbounded;
    other.min = rule.max + 1;
    all_.emplace_back(other);
  }

  static Terms negated(const Term& term) { return {{term.node, !term.negated}}; }

  void add_item(size_t index, const Terms& terms) {
    for (const Term& term : terms)
      add<ArrayRule>([&](ArrayRule& other) {
        other.layers.emplace_back();
        other.layers.back().evaluates = false;
        other.layers.back().prefix.resize(index);
        other.layers.back().prefix.push_back(negated(term));
        other.min = static_cast<uint32_t>(index) + 1;
      });
  }

  void add_members(const std::string& name, const Terms& terms) {
    for (const Term& term : terms) add_layer(name, negated(term), true);
  }

  void add_layer(const std::string& name, Terms terms, bool required) {
    ObjectRule other;
    other.layers.emplace_back();
    other.layers.back().properties.emplace_back(name, std::move(terms));
    other.layers.back().evaluates = false;
    if (required) other.required.push_back(name);
    all_.emplace_back(std::move(other));
  }

  // What is left of an alternative without one value.
  void without(const Alternative& alternative, const OrderedJson& value, Alternatives& kept) const {
    if (const auto* values = std::get_if<ValuesRule>(&alternative)) {
      if (values->values.front() != value) kept.push_back(alternative);
    } else if (std::holds_alternative<NumberRule>(alternative) && value.is_number()) {
      NumberRule below = std::get<NumberRule>(alternative), above = below;
      const auto limit = decimal_of(value);
      if (!limit || decimal_of(value, 1)->compare(*limit) != 0) refuse("a number of more digits than a double has");
      const auto in = [&](const NumberRule& rule) {
        return (!rule.min || rule.min->value.compare(*limit) <= 0) &&
               (!rule.max || rule.max->value.compare(*limit) >= 0);
      };
      if (!in(below)) return kept.push_back(alternative);
      below.max = above.min = NumberLimit{*limit, true};
      kept.insert(kept.end(), {below, above});
    } else if (std::holds_alternative<StringRule>(alternative) && value.is_string()) {
      StringRule rule = std::get<StringRule>(alternative);
      rule.texts.push_back({TextRule::Kind::Text, value.get<std::string>(), true});
      kept.emplace_back(std::move(rule));
    } else if (std::holds_alternative<BooleanRule>(alternative) && value.is_boolean()) {
      kept.emplace_back(ValuesRule{{!value.get<bool>()}});
    } else if (!std::holds_alternative<NullRule>(alternative) || !value.is_null()) {
      kept.push_back(alternative);
    }
  }

  const std::string& where_;
  const std::function<MemberKind(const Terms&)>& kind_of_;
  Alternatives all_;
};

}  // namespace

Alternatives opposite_of(const Alternative& alternative, const std::string& where,
                         const std::function<MemberKind(const Terms&)>& kind_of) {
  Opposite opposite(where, kind_of);
  std::visit(opposite, alternative);
  return opposite.take();
}

}  // namespace cleave::grammar
