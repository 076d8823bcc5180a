#include "grammar/schema/values.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "grammar/schema/resolver.h"

namespace cleave::grammar {

bool Values::allows(const Alternative& alternative, const OrderedJson& value) const {
  return std::visit([&](const auto& rule) { return allowed(rule, value); }, alternative);
}

bool Values::allowed(const NumberRule& rule, const OrderedJson& value) const {
  const std::optional<Decimal> number = decimal_of(value);
  if (!number || (rule.integer && !number->fraction.empty())) return false;
  const auto beyond = [&](const std::optional<NumberLimit>& limit, int inwards) {
    const int order = limit ? number->compare(limit->value) * inwards : 1;
    return order < 0 || (order == 0 && limit->exclusive);
  };
  if (beyond(rule.min, 1) || beyond(rule.max, -1)) return false;
  if (rule.multiples.empty() && rule.not_multiples.empty()) return true;
  const NumberRule multiples{false, {}, {}, rule.multiples, rule.not_multiples};
  const std::string text = fmt::format("{}{}{}{}", number->negative ? "-" : "", number->whole,
                                       number->fraction.empty() ? "" : ".", number->fraction);
  return number_texts(multiples, texts_.budget()).accepts(text);
}

bool Values::allowed(const StringRule& rule, const OrderedJson& value) const {
  return value.is_string() && texts_.allows(rule, value.get<std::string>());
}

bool Values::allowed(const ArrayRule& rule, const OrderedJson& value) const {
  if (!value.is_array() || value.size() < rule.min || value.size() > rule.max) return false;
  for (size_t i = 0; i < value.size(); ++i)
    if (!resolver_.allows(rule.item(i), value[i])) return false;
  return true;
}

bool Values::allowed(const ObjectRule& rule, const OrderedJson& value) const {
  if (!value.is_object() || value.size() < rule.min || value.size() > rule.max) return false;
  const bool has_required = std::all_of(rule.required.begin(), rule.required.end(),
                                        [&](const std::string& name) { return value.contains(name); });
  if (!has_required) return false;
  for (const auto& [name, member] : value.items())
    if (!resolver_.allows(resolver_.member(rule, name), member)) return false;
  return true;
}

// The order of keys makes no difference.
bool Values::allowed(const ValuesRule& rule, const OrderedJson& value) const {
  return std::any_of(rule.values.begin(), rule.values.end(),
                     [&](const OrderedJson& other) { return Json(other) == Json(value); });
}

}  // namespace cleave::grammar
