#include "jinja/predicates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jinja/arguments.h"
#include "jinja/characters.h"
#include "jinja/filters.h"
#include "jinja/operators.h"

namespace cleave::jinja {
namespace {

using Question = bool (*)(const Value&);
constexpr std::array<std::pair<const char*, Question>, 15> kQuestions = {{
    {"defined", [](const Value& v) { return !v.is_undefined(); }},
    {"undefined", [](const Value& v) { return v.is_undefined(); }},
    {"none", [](const Value& v) { return v.is_none(); }},
    {"boolean", [](const Value& v) { return v.is_bool(); }},
    {"true", [](const Value& v) { return v.is_bool() && v.as_bool(); }},
    {"false", [](const Value& v) { return v.is_bool() && !v.as_bool(); }},
    {"integer", [](const Value& v) { return v.is_integer(); }},
    {"float", [](const Value& v) { return v.is_float(); }},
    {"number", [](const Value& v) { return v.is_number(); }},
    {"string", [](const Value& v) { return v.is_text(); }},
    {"mapping", [](const Value& v) { return v.is_dict(); }},
    {"callable", [](const Value& v) { return v.is_undefined() || (v.is_object() && v.as_object().is_callable()); }},
    {"iterable", [](const Value& v) { return v.is_text() || v.is_sequence() || v.is_dict() || v.is_undefined(); }},
    {"sequence",
     [](const Value& v) {
       using Type = Sequence::Type;
       return v.is_text() || v.is_list() || v.is_dict() || v.is_undefined() || v.is_sequence(Type::Tuple) ||
              v.is_sequence(Type::Range);
     }},
    {"escaped", [](const Value& v) { return v.is_markup(); }},
}};

constexpr std::array<std::pair<const char*, Comparison>, 17> kComparisons = {{
    {"eq", Comparison::Equal},
    {"equalto", Comparison::Equal},
    {"==", Comparison::Equal},
    {"ne", Comparison::NotEqual},
    {"!=", Comparison::NotEqual},
    {"lt", Comparison::Less},
    {"lessthan", Comparison::Less},
    {"<", Comparison::Less},
    {"le", Comparison::LessEqual},
    {"<=", Comparison::LessEqual},
    {"gt", Comparison::Greater},
    {"greaterthan", Comparison::Greater},
    {">", Comparison::Greater},
    {"ge", Comparison::GreaterEqual},
    {">=", Comparison::GreaterEqual},
    {"in", Comparison::In},
    {"sameas", Comparison::Equal},
}};

bool is_divisible(const Value& value, const Value& by, Context& context) {
  return !truth(operate(Operation::Modulo, value, by, context));
}

// The rest is one: half numbers are neither odd nor even.
bool is_odd(const Value& value, Context& context) {
  return equal(operate(Operation::Modulo, value, int64_t{2}, context), int64_t{1}, context.meter());
}

bool is_test(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kOthers = {"odd",   "even",   "divisibleby", "lower",
                                                              "upper", "filter", "test"};
  const auto has_name = [&](const auto& entry) { return name == entry.first; };
  return std::ranges::any_of(kQuestions, has_name) || std::ranges::any_of(kComparisons, has_name) ||
         std::ranges::find(kOthers, name) != kOthers.end();
}

bool is_same(const Value& a, const Value& b, Context& context) {
  return type_name(a) == type_name(b) && equal(a, b, context.meter());
}

}  // namespace

bool apply_test(const std::string& name, const Value& value, const Arguments& arguments, Context& context) {
  for (const auto& [known, question] : kQuestions)
    if (name == known) return question(value);
  for (const auto& [known, comparison] : kComparisons) {
    if (name != known) continue;
    const BoundArguments bound(arguments, name, {"other"});
    return name == "sameas" ? is_same(value, bound.at(0), context) : compare(comparison, value, bound.at(0), context);
  }
  if (name == "odd") return is_odd(value, context);
  if (name == "even") return is_divisible(value, int64_t{2}, context);
  if (name == "divisibleby") return is_divisible(value, BoundArguments(arguments, name, {"num"}).at(0), context);
  if (name == "lower") return is_all_lower(context.str(value));
  if (name == "upper") return is_all_upper(context.str(value));
  if (name == "filter") return value.is_text() && is_filter(value.bytes());
  if (name == "test") return value.is_text() && is_test(value.bytes());
  raise("TemplateRuntimeError", fmt::format("No test named '{}' found.", name));
}

}  // namespace cleave::jinja
