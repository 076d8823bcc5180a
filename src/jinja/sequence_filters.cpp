#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jinja/arguments.h"
#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/predicates.h"
#include "jinja/split.h"
#include "unicode/normal_form.h"

namespace cleave::jinja {
namespace {

using Type = Sequence::Type;

Value generator(std::vector<Value> items, Context& context) {
  return context.list(std::move(items), Type::Generator);
}

// The attribute of a value by a filter's argument: "a.b.0", or a number.
Value attribute_of(Value value, const Value& attribute, const Value* otherwise, Context& context) {
  if (!attribute.is_text()) return get_item(value, attribute, context);
  for (const std::string_view part : split_at(attribute.bytes(), ".", -1, false)) {
    const bool number =
        !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    const Value key =
        number && part.size() < 10 ? Value(int64_t{std::stol(std::string(part))}) : context.text(std::string(part));
    value = get_item(value, key, context);
    if (value.is_undefined() && otherwise != nullptr && !otherwise->is_none()) value = *otherwise;
  }
  return value;
}

Value folded(const Value& value, bool case_sensitive, Context& context) {
  return value.is_text() && !case_sensitive ? context.text(unicode::lower_case(value.bytes())) : value;
}

Value length_filter(Context&, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "length");
  return static_cast<int64_t>(length(value));
}

Value list_filter(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "list");
  return context.list(iterate(value, context.meter()));
}

Value first_filter(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "first");
  if (value.is_sequence(Type::Generator)) {
    const Sequence& sequence = value.as_sequence();
    if (sequence.taken < sequence.items.size()) return sequence.items[sequence.taken++];
  } else if (const std::vector<Value> items = iterate(value, context.meter()); !items.empty()) {
    return items.front();
  }
  return Value::undefined("UndefinedError: No first item, sequence was empty.");
}

Value last_filter(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "last");
  if (value.is_sequence(Type::Generator)) raise("TypeError", "'generator' object is not reversible");
  if (value.is_text() && !value.bytes().empty()) return get_item(value, int64_t{-1}, context);
  const std::vector<Value> items = iterate(value, context.meter());
  return items.empty() ? Value::undefined("UndefinedError: No last item, sequence was empty.") : items.back();
}

Value join_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "join", {"d", "attribute"});
  const std::string separator = bound.find(0) != nullptr ? context.str(*bound.find(0)) : "";
  const bool by_attribute = bound.find(1) != nullptr && !bound.find(1)->is_none();
  std::string text;
  bool first = true;
  for (const Value& item : iterate(value, context.meter())) {
    if (!first) text += separator;
    first = false;
    text += context.str(by_attribute ? attribute_of(item, *bound.find(1), nullptr, context) : item);
    if (text.size() > context.meter().limits().memory_bytes) raise("MemoryError", "a text beyond the limit of memory");
  }
  return context.text(std::move(text));
}

Value reverse_filter(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "reverse");
  std::vector<Value> items = iterate(value, context.meter());
  std::reverse(items.begin(), items.end());
  if (!value.is_text()) return generator(std::move(items), context);
  std::string text;
  for (const Value& item : items) text += item.bytes();
  return context.text(std::move(text), value.is_markup());
}

Value items_filter(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "items");
  if (value.is_undefined()) return generator({}, context);
  if (!value.is_dict()) raise("TypeError", "Can only get item pairs from a mapping.");
  std::vector<Value> items;
  for (const auto& [key, entry] : value.as_dict().entries()) items.push_back(context.list({key, entry}, Type::Tuple));
  return generator(std::move(items), context);
}

// Sorts pairs of a key and a value; equal keys keep their order, also in reverse.
std::vector<Value> sorted(std::vector<std::pair<Value, Value>> keyed, bool reverse, Context& context) {
  context.meter().step(keyed.size());
  if (reverse) std::reverse(keyed.begin(), keyed.end());
  std::stable_sort(keyed.begin(), keyed.end(),
                   [&](const auto& a, const auto& b) { return less(a.first, b.first, context.meter()); });
  if (reverse) std::reverse(keyed.begin(), keyed.end());
  std::vector<Value> values;
  values.reserve(keyed.size());
  for (auto& [key, value] : keyed) values.push_back(std::move(value));
  return values;
}

// The key to sort by: a list of the values of the attributes "a,b". As lists, equal keys need no order of their values.
Value sort_key(const Value& item, const Value* attribute, bool case_sensitive, Context& context) {
  if (attribute == nullptr || attribute->is_none()) return context.list({folded(item, case_sensitive, context)});
  std::vector<Value> key;
  if (attribute->is_text()) {
    for (const std::string_view part : split_at(attribute->bytes(), ",", -1, false)) {
      const Value name = context.text(std::string(part));
      key.push_back(folded(attribute_of(item, name, nullptr, context), case_sensitive, context));
    }
  } else {
    key.push_back(folded(attribute_of(item, *attribute, nullptr, context), case_sensitive, context));
  }
  return context.list(std::move(key));
}

Value sort_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "sort", {"reverse", "case_sensitive", "attribute"});
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : iterate(value, context.meter()))
    keyed.emplace_back(sort_key(item, bound.find(2), bound.boolean(1, false), context), item);
  return context.list(sorted(std::move(keyed), bound.boolean(0, false), context));
}

Value dictsort_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "dictsort", {"case_sensitive", "by", "reverse"});
  const std::string by = bound.text(1, "key");
  if (by != "key" && by != "value") raise("FilterArgumentError", "You can only sort by either \"key\" or \"value\"");
  if (!value.is_dict()) raise("UndefinedError", fmt::format("'{} object' has no attribute 'items'", type_name(value)));
  std::vector<std::pair<Value, Value>> keyed;
  for (const auto& [key, entry] : value.as_dict().entries())
    keyed.emplace_back(folded(by == "key" ? key : entry, bound.boolean(0, false), context),
                       context.list({key, entry}, Type::Tuple));
  return context.list(sorted(std::move(keyed), bound.boolean(2, false), context));
}

Value unique_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "unique", {"case_sensitive", "attribute"});
  const bool by_attribute = bound.find(1) != nullptr && !bound.find(1)->is_none();
  Dict seen(&context.meter());
  std::vector<Value> items;
  for (const Value& item : iterate(value, context.meter())) {
    const Value key = folded(by_attribute ? attribute_of(item, *bound.find(1), nullptr, context) : item,
                             bound.boolean(0, false), context);
    if (seen.find(key) != nullptr) continue;
    seen.set(key, {});
    items.push_back(item);
  }
  return generator(std::move(items), context);
}

template <bool Least>
Value extreme_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, Least ? "min" : "max", {"case_sensitive", "attribute"});
  const bool by_attribute = bound.find(1) != nullptr && !bound.find(1)->is_none();
  Value best;
  Value best_key;
  bool any = false;
  for (const Value& item : iterate(value, context.meter())) {
    const Value key = folded(by_attribute ? attribute_of(item, *bound.find(1), nullptr, context) : item,
                             bound.boolean(0, false), context);
    if (any && !(Least ? less(key, best_key, context.meter()) : less(best_key, key, context.meter(), ">"))) continue;
    best = item;
    best_key = key;
    any = true;
  }
  return any ? best : Value::undefined("UndefinedError: No aggregated item, sequence was empty.");
}

Value sum_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "sum", {"attribute", "start"});
  const bool by_attribute = bound.find(0) != nullptr && !bound.find(0)->is_none();
  Value total = bound.find(1) != nullptr ? *bound.find(1) : Value(int64_t{0});
  for (const Value& item : iterate(value, context.meter()))
    total = operate(Operation::Add, total, by_attribute ? attribute_of(item, *bound.find(0), nullptr, context) : item,
                    context);
  return total;
}

const Value* named(const Arguments& arguments, std::string_view name) {
  for (const auto& [known, value] : arguments.named)
    if (known == name) return &value;
  return nullptr;
}

Value map_filter(Context& context, const Value& value, const Arguments& arguments) {
  std::vector<Value> items;
  if (!truth(value)) return generator({}, context);  // of whatever kind, even one that cannot be iterated
  if (arguments.positional.empty()) {
    const Value* attribute = named(arguments, "attribute");
    if (attribute == nullptr) raise("FilterArgumentError", "map requires a filter argument");
    for (const Value& item : iterate(value, context.meter()))
      items.push_back(attribute_of(item, *attribute, named(arguments, "default"), context));
    return generator(std::move(items), context);
  }
  Arguments rest{{arguments.positional.begin() + 1, arguments.positional.end()}, arguments.named};
  const std::string name = context.str(arguments.positional.front());
  for (const Value& item : iterate(value, context.meter())) items.push_back(apply_filter(name, item, rest, context));
  return generator(std::move(items), context);
}

// select, reject, selectattr and rejectattr.
template <bool Wanted, bool ByAttribute>
Value choose_filter(Context& context, const Value& value, const Arguments& arguments) {
  constexpr size_t kOffset = ByAttribute ? 1 : 0;
  if (!truth(value)) return generator({}, context);  // as in map_filter()
  if (ByAttribute && arguments.positional.empty()) raise("FilterArgumentError", "Missing parameter for attribute name");
  const bool has_test = arguments.positional.size() > kOffset;
  Arguments rest;
  rest.named = arguments.named;
  if (has_test) rest.positional.assign(arguments.positional.begin() + kOffset + 1, arguments.positional.end());
  std::vector<Value> items;
  for (const Value& item : iterate(value, context.meter())) {
    const Value subject = ByAttribute ? attribute_of(item, arguments.positional[0], nullptr, context) : item;
    const bool chosen =
        has_test ? apply_test(context.str(arguments.positional[kOffset]), subject, rest, context) : truth(subject);
    if (chosen == Wanted) items.push_back(item);
  }
  return generator(std::move(items), context);
}

Value batch_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "batch", {"linecount", "fill_with"});
  bound.at(0);
  const auto size = static_cast<size_t>(std::clamp(bound.integer(0, 1), int64_t{1}, int64_t{100'000}));
  std::vector<Value> batches;
  std::vector<Value> batch;
  for (const Value& item : iterate(value, context.meter())) {
    if (batch.size() == size) batches.push_back(context.list(std::exchange(batch, {})));
    batch.push_back(item);
  }
  if (!batch.empty()) {
    if (bound.find(1) != nullptr && !bound.find(1)->is_none()) batch.resize(size, *bound.find(1));
    batches.push_back(context.list(std::move(batch)));
  }
  return generator(std::move(batches), context);
}

Value slice_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "slice", {"slices", "fill_with"});
  bound.at(0);
  const auto count = static_cast<size_t>(std::clamp(bound.integer(0, 1), int64_t{1}, int64_t{100'000}));
  const std::vector<Value> items = iterate(value, context.meter());
  std::vector<Value> slices;
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    const bool longer = i < items.size() % count;
    const size_t end = at + items.size() / count + (longer ? 1 : 0);
    std::vector<Value> slice(items.begin() + static_cast<std::ptrdiff_t>(at),
                             items.begin() + static_cast<std::ptrdiff_t>(end));
    if (bound.find(1) != nullptr && !bound.find(1)->is_none() && !longer) slice.push_back(*bound.find(1));
    slices.push_back(context.list(std::move(slice)));
    at = end;
  }
  return generator(std::move(slices), context);
}

// A group of groupby: a tuple whose items have names.
Value group_of(Value grouper, std::vector<Value> members, Context& context) {
  static constexpr std::array<std::string_view, 2> kFields = {"grouper", "list"};
  auto group = std::make_shared<Sequence>(&context.meter(), Type::Tuple,
                                          std::vector<Value>{std::move(grouper), context.list(std::move(members))});
  group->fields = kFields;
  return {std::shared_ptr<const Sequence>(std::move(group))};
}

Value groupby_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "groupby", {"attribute", "default", "case_sensitive"});
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : iterate(value, context.meter())) {
    const Value key = attribute_of(item, bound.at(0), bound.find(1), context);
    keyed.emplace_back(folded(key, bound.boolean(2, false), context), context.list({key, item}));
  }
  std::vector<Value> groups;
  std::vector<Value> members;
  Value group;
  const auto flush = [&] {
    if (!members.empty()) groups.push_back(group_of(group, std::exchange(members, {}), context));
  };
  for (const Value& pair : sorted(std::move(keyed), false, context)) {
    const std::vector<Value>& parts = pair.as_sequence().items;
    if (members.empty() || !equal(folded(parts[0], bound.boolean(2, false), context),
                                  folded(group, bound.boolean(2, false), context), context.meter())) {
      flush();
      group = parts[0];
    }
    members.push_back(parts[1]);
  }
  flush();
  return context.list(std::move(groups));
}

Value default_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "default", {"default_value", "boolean"});
  if (!value.is_undefined() && !(bound.boolean(1, false) && !truth(value))) return value;
  return bound.find(0) != nullptr ? *bound.find(0) : context.text("");
}

Value attr_filter(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "attr", {"name"});
  // Looks for an attribute only, never for an item.
  if (value.is_dict() && value.as_dict().find(bound.at(0)) != nullptr)
    return Value::undefined(fmt::format("UndefinedError: 'dict object' has no attribute '{}'", bound.text(0)));
  return get_attribute(value, bound.text(0), context);
}

struct Entry {
  const char* name;
  FilterFunction function;
};
constexpr std::array<Entry, 25> kFilters = {{
    {"length", length_filter},
    {"count", length_filter},
    {"list", list_filter},
    {"first", first_filter},
    {"last", last_filter},
    {"join", join_filter},
    {"reverse", reverse_filter},
    {"items", items_filter},
    {"sort", sort_filter},
    {"dictsort", dictsort_filter},
    {"unique", unique_filter},
    {"min", extreme_filter<true>},
    {"max", extreme_filter<false>},
    {"sum", sum_filter},
    {"map", map_filter},
    {"select", choose_filter<true, false>},
    {"reject", choose_filter<false, false>},
    {"selectattr", choose_filter<true, true>},
    {"rejectattr", choose_filter<false, true>},
    {"batch", batch_filter},
    {"slice", slice_filter},
    {"groupby", groupby_filter},
    {"default", default_filter},
    {"d", default_filter},
    {"attr", attr_filter},
}};

}  // namespace

FilterFunction find_sequence_filter(const std::string& name) {
  for (const Entry& entry : kFilters)
    if (name == entry.name) return entry.function;
  return nullptr;
}

bool is_filter(const std::string& name) {
  // Those of Jinja2 that are not here are filters all the same, so that a template's choice is that of Jinja2.
  static constexpr std::array<std::string_view, 6> kOthers = {"filesizeformat", "pprint",   "random",
                                                              "urlize",         "wordwrap", "xmlattr"};
  return find_sequence_filter(name) != nullptr || find_text_filter(name) != nullptr ||
         find_number_filter(name) != nullptr || std::ranges::find(kOthers, name) != kOthers.end();
}

Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments, Context& context) {
  const Context::DepthGuard guard(context);
  context.meter().step();
  FilterFunction function = find_sequence_filter(name);
  if (function == nullptr) function = find_text_filter(name);
  if (function == nullptr) function = find_number_filter(name);
  if (function == nullptr) raise("TemplateRuntimeError", fmt::format("No filter named '{}' found.", name));
  return function(context, value, arguments);
}

}  // namespace cleave::jinja
