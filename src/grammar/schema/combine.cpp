#include "grammar/schema/combine.h"

#include <algorithm>

#include "base/error.h"
#include "grammar/schema/keywords.h"
#include "grammar/schema/opposite.h"
#include "grammar/schema/resolver.h"

namespace cleave::grammar {
namespace {

// How far disjoint() looks into required members: discriminators stand near the top.
constexpr int kMaxDepth = 3;

std::optional<NumberLimit> stricter(const std::optional<NumberLimit>& a, const std::optional<NumberLimit>& b,
                                    int inwards) {
  if (!a || !b) return a ? a : b;
  const int order = a->value.compare(b->value) * inwards;
  if (order != 0) return order > 0 ? a : b;
  return a->exclusive ? a : b;
}

template <class T>
void append(std::vector<T>& list, const std::vector<T>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

NumberRule together(NumberRule a, const NumberRule& b) {
  a.integer |= b.integer;
  a.min = stricter(a.min, b.min, 1);
  a.max = stricter(a.max, b.max, -1);
  append(a.multiples, b.multiples);
  append(a.not_multiples, b.not_multiples);
  return a;
}

ArrayRule together(ArrayRule a, const ArrayRule& b) {
  append(a.layers, b.layers);
  a.min = std::max(a.min, b.min);
  a.max = std::min(a.max, b.max);
  return a;
}

ObjectRule together(ObjectRule a, const ObjectRule& b) {
  append(a.layers, b.layers);
  for (const std::string& name : b.required)
    if (std::find(a.required.begin(), a.required.end(), name) == a.required.end()) a.required.push_back(name);
  a.min = std::max(a.min, b.min);
  a.max = std::min(a.max, b.max);
  append(a.names, b.names);
  return a;
}

NullRule together(NullRule a, NullRule) {
  return a;
}
BooleanRule together(BooleanRule a, BooleanRule) {
  return a;
}
ValuesRule together(const ValuesRule& a, const ValuesRule&) {
  return a;
}

// An alternative of two of one type.
Alternative both_alike(const Alternative& a, const Alternative& b) {
  return std::visit(
      [&](const auto& first) -> Alternative {
        using Rule = std::decay_t<decltype(first)>;
        return together(first, std::get<Rule>(b));
      },
      a);
}

bool impossible_number(const NumberRule& rule) {
  if (!rule.min || !rule.max) return false;
  const int order = rule.min->value.compare(rule.max->value);
  return order > 0 || (order == 0 && (rule.min->exclusive || rule.max->exclusive));
}

}  // namespace

Alternatives Combine::both(const Alternatives& a, const Alternatives& b) const {
  Alternatives all;
  for (const Alternative& first : a)
    for (const Alternative& second : b) {
      texts_.budget().step();
      const auto* values = std::get_if<ValuesRule>(&first);
      const Alternative& other = values != nullptr ? second : first;
      if (values == nullptr) values = std::get_if<ValuesRule>(&second);
      if (values != nullptr) {
        ValuesRule kept = *values;
        std::erase_if(kept.values, [&](const OrderedJson& value) { return !resolver_.allows(other, value); });
        if (!kept.values.empty()) all.emplace_back(std::move(kept));
      } else if (first.index() == second.index()) {
        all.push_back(both_alike(first, second));
      }
      texts_.budget().alternatives(all.size());
    }
  return all;
}

Alternatives Combine::opposite(const Alternatives& alternatives, const std::string& where) const {
  Alternatives all = anything();
  for (const Alternative& alternative : alternatives)
    all = both(all, opposite_of(alternative, where, [&](const Terms& terms) {
                 if (is_anything(resolver_.resolve(terms))) return MemberKind::Anything;
                 return resolver_.resolve(terms).empty() ? MemberKind::Nothing : MemberKind::Something;
               }));
  return all;
}

bool Combine::disjoint(const Alternatives& a, const Alternatives& b) const {
  return std::all_of(a.begin(), a.end(), [&](const Alternative& first) {
    return std::all_of(b.begin(), b.end(),
                       [&](const Alternative& second) { return disjoint(first, second, kMaxDepth); });
  });
}

bool Combine::disjoint(const Alternative& a, const Alternative& b, int depth) const {
  texts_.budget().step();
  for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)})
    if (const auto* values = std::get_if<ValuesRule>(one))
      return std::none_of(values->values.begin(), values->values.end(),
                          [&, &rule = *other](const OrderedJson& value) { return resolver_.allows(rule, value); });
  if (a.index() != b.index()) return true;
  if (const auto* number = std::get_if<NumberRule>(&a)) {
    const NumberRule common = together(*number, std::get<NumberRule>(b));
    if (impossible_number(common)) return true;
    return !common.unconstrained() && number_texts(common, texts_.budget()).empty();
  }
  if (const auto* string = std::get_if<StringRule>(&a)) return texts_.disjoint(*string, std::get<StringRule>(b));
  if (const auto* array = std::get_if<ArrayRule>(&a)) {
    const ArrayRule common = together(*array, std::get<ArrayRule>(b));
    if (common.min > common.max) return true;
    for (size_t i = 0; i < std::min<size_t>(common.min, common.prefix_size() + 1); ++i)
      if (impossible(common.item(i), depth)) return true;
    return false;
  }
  if (const auto* object = std::get_if<ObjectRule>(&a))
    return disjoint_objects(*object, std::get<ObjectRule>(b), depth);
  return false;
}

bool Combine::disjoint_objects(const ObjectRule& a, const ObjectRule& b, int depth) const {
  const ObjectRule common = together(a, b);
  if (common.min > common.max || common.required.size() > common.max) return true;
  return std::any_of(common.required.begin(), common.required.end(),
                     [&](const std::string& name) { return impossible(resolver_.member(common, name), depth); });
}

// Whether terms plainly contradict each other. Those of one schema are taken to have values.
bool Combine::impossible(const Terms& terms, int depth) const {
  if (depth == 0) return false;
  if (terms.size() == 1 && terms.front().node->is_boolean())
    return terms.front().node->get<bool>() == terms.front().negated;
  if (terms.size() < 2) return false;
  for (size_t i = 0; i < terms.size(); ++i)
    for (size_t k = 0; k < i; ++k) {
      const Alternatives first = resolver_.resolve({terms[k]}), second = resolver_.resolve({terms[i]});
      const bool apart = std::all_of(first.begin(), first.end(), [&](const Alternative& one) {
        return std::all_of(second.begin(), second.end(),
                           [&](const Alternative& other) { return disjoint(one, other, depth - 1); });
      });
      if (apart) return true;
    }
  return false;
}

}  // namespace cleave::grammar
