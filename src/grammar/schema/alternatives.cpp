#include "grammar/schema/alternatives.h"

#include <algorithm>
#include <set>

namespace cleave::grammar {

Terms joined(Terms terms, const Terms& more) {
  for (const Term& term : more)
    if (std::find(terms.begin(), terms.end(), term) == terms.end()) terms.push_back(term);
  return terms;
}

Terms ArrayRule::item(size_t index) const {
  Terms all;
  for (const Layer& layer : layers)
    all = joined(std::move(all), index < layer.prefix.size() ? layer.prefix[index] : layer.rest);
  return all;
}

size_t ArrayRule::prefix_size() const {
  size_t size = 0;
  for (const Layer& layer : layers) size = std::max(size, layer.prefix.size());
  return size;
}

Alternatives anything() {
  return {NullRule{}, BooleanRule{}, NumberRule{}, StringRule{}, ArrayRule{}, ObjectRule{}};
}

Alternatives anything_but(const Alternative& alternative) {
  Alternatives all = anything();
  std::erase_if(all, [&](const Alternative& other) { return other.index() == alternative.index(); });
  return all;
}

namespace {

struct IsWhole {
  bool operator()(const NullRule&) const { return true; }
  bool operator()(const BooleanRule&) const { return true; }
  bool operator()(const NumberRule& rule) const { return rule.unconstrained() && !rule.integer; }
  bool operator()(const StringRule& rule) const {
    return rule.min == 0 && rule.max == kUnbounded && rule.texts.empty();
  }
  bool operator()(const ArrayRule& rule) const {
    return rule.layers.empty() && rule.min == 0 && rule.max == kUnbounded;
  }
  bool operator()(const ObjectRule& rule) const {
    return rule.layers.empty() && rule.required.empty() && rule.min == 0 && rule.max == kUnbounded &&
           rule.names.empty();
  }
  bool operator()(const ValuesRule&) const { return false; }
};

}  // namespace

bool is_anything(const Alternatives& alternatives) {
  std::set<size_t> whole;
  for (const Alternative& alternative : alternatives)
    if (std::visit(IsWhole(), alternative)) whole.insert(alternative.index());
  return whole.size() == std::variant_size_v<Alternative> - 1;
}

}  // namespace cleave::grammar
