#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jinja/markup.h"
#include "jinja/methods.h"
#include "jinja/objects.h"
#include "jinja/operators.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// The words for a value in Jinja2's "has no attribute": "dict object".
std::string shown_type(const Value& value) {
  if (value.is_none()) return "None";
  if (value.is_object()) return fmt::format("jinja2 {} object", value.as_object().type_name());
  return type_name(value) + " object";
}

Value missing_attribute(const Value& value, const std::string& name) {
  return Value::undefined(fmt::format("UndefinedError: '{}' has no attribute '{}'", shown_type(value), name));
}

// Attributes that Jinja2's sandbox for immutable values hides: private ones, and methods that change a value.
bool is_unsafe(const Value& value, const std::string& name) {
  static constexpr std::array<std::string_view, 8> kList = {"append", "clear",  "extend",  "insert",
                                                            "pop",    "remove", "reverse", "sort"};
  static constexpr std::array<std::string_view, 5> kDict = {"clear", "pop", "popitem", "setdefault", "update"};
  if (name.starts_with('_')) return true;
  if (value.is_list()) return std::find(kList.begin(), kList.end(), name) != kList.end();
  return value.is_dict() && std::find(kDict.begin(), kDict.end(), name) != kDict.end();
}

Value unsafe_attribute(const Value& value, const std::string& name) {
  return Value::undefined(
      fmt::format("SecurityError: access to attribute '{}' of '{}' object is unsafe.", name, type_name(value)));
}

// Python's slice.indices: the indices among `size` items that a slice selects.
struct Indices {
  int64_t start, stop, step;
};

Indices indices(const Value& start, const Value& stop, const Value& step, int64_t size) {
  const auto integer = [](const Value& value, int64_t otherwise) {
    if (value.is_none()) return otherwise;
    if (value.is_undefined()) fail_undefined(value);
    if (!value.is_integer() && !value.is_bool())
      raise("TypeError", "slice indices must be integers or None or have an __index__ method");
    return value.as_integer();
  };
  const int64_t by = integer(step, 1);
  if (by == 0) raise("ValueError", "slice step cannot be zero");
  const int64_t low = by < 0 ? -1 : 0;
  const int64_t high = by < 0 ? size - 1 : size;
  const auto bound = [&](const Value& value, int64_t otherwise) {
    if (value.is_none()) return otherwise;
    const int64_t at = integer(value, 0);
    return std::clamp(at < 0 ? std::max(at, -size - 1) + size : at, low, high);
  };
  // A step longer than the text selects the same items, and its sums do not overflow.
  return {bound(start, by < 0 ? high : low), bound(stop, by < 0 ? low : high), std::clamp(by, -size - 1, size + 1)};
}

// The places where characters begin, and the end of the text.
std::vector<size_t> character_starts(const std::string& bytes) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < bytes.size(); i += unicode::utf8_at(bytes, i).size) starts.push_back(i);
  starts.push_back(bytes.size());
  return starts;
}

Value slice_text(const Text& text, const Indices& range, Context& context) {
  context.meter().step(text.bytes.size() / 64);
  const bool ascii = text.length == text.bytes.size();
  if (range.step == 1 && ascii)
    return context.text(text.bytes.substr(static_cast<size_t>(range.start),
                                          static_cast<size_t>(std::max(range.stop - range.start, int64_t{0}))),
                        text.is_markup);
  const std::vector<size_t> starts = character_starts(text.bytes);
  std::string part;
  for (int64_t i = range.start; range.step > 0 ? i < range.stop : i > range.stop; i += range.step) {
    const auto at = static_cast<size_t>(i);
    part.append(text.bytes, starts[at], starts[at + 1] - starts[at]);
  }
  return context.text(std::move(part), text.is_markup);
}

const Value* item_at(const std::vector<Value>& items, const Value& key) {
  if (!key.is_integer() && !key.is_bool()) return nullptr;
  const auto size = static_cast<int64_t>(items.size());
  const int64_t index = key.as_integer();
  if (index >= size || index < -size) return nullptr;
  return &items[static_cast<size_t>(index < 0 ? index + size : index)];
}

bool can_be_indexed(const Value& value) {
  return value.is_list() || value.is_sequence(Sequence::Type::Tuple) || value.is_sequence(Sequence::Type::Range);
}

// Finds an item by its key; false if there is none for whatever reason.
bool find_item(const Value& value, const Value& key, Context& context, Value& item) {
  if (value.is_dict()) {
    if (key.is_list() || key.is_dict()) return false;
    const Value* found = value.as_dict().find(key);
    if (found != nullptr) item = *found;
    return found != nullptr;
  }
  if (can_be_indexed(value)) {
    const Value* found = item_at(value.as_sequence().items, key);
    if (found != nullptr) item = *found;
    return found != nullptr;
  }
  if (!value.is_text() || !(key.is_integer() || key.is_bool())) return false;
  const auto size = static_cast<int64_t>(value.as_text().length);
  const int64_t index = key.as_integer();
  if (index >= size || index < -size) return false;
  const int64_t at = index < 0 ? index + size : index;
  item = slice_text(value.as_text(), {at, at + 1, 1}, context);
  return true;
}

// Finds an attribute of an object, or a method of a value's type.
bool find_attribute(const Value& value, const std::string& name, Context& context, Value& attribute) {
  if (value.is_object()) return value.as_object().attribute(context, name, attribute);
  if (value.is_sequence()) {
    const Sequence& sequence = value.as_sequence();
    const auto field = std::ranges::find(sequence.fields, name);
    if (field != sequence.fields.end()) {
      attribute = sequence.items[static_cast<size_t>(field - sequence.fields.begin())];
      return true;
    }
  }
  const Method method = find_method(value, name);
  if (method == nullptr) return false;
  attribute = {context.make<Builtin>(name, [value, name, method](Context& caller, const Arguments& arguments) {
    return value.is_markup() ? call_on_markup(method, name, value, arguments, caller)
                             : method(caller, value, arguments);
  })};
  return true;
}

}  // namespace

Value get_attribute(const Value& value, const std::string& name, Context& context) {
  if (value.is_undefined()) fail_undefined(value);
  Value found;
  if (is_unsafe(value, name)) {
    if (value.is_dict() && find_item(value, context.text(name), context, found) && name.starts_with('_')) return found;
    return unsafe_attribute(value, name);
  }
  if (find_attribute(value, name, context, found)) return found;
  if (value.is_dict())
    if (const Value* item = value.as_dict().find(name)) return *item;
  return missing_attribute(value, name);
}

Value get_item(const Value& value, const Value& key, Context& context) {
  if (value.is_undefined()) fail_undefined(value);
  Value found;
  if (find_item(value, key, context, found)) return found;
  if (key.is_text()) {
    if (is_unsafe(value, key.bytes()) && !value.is_dict()) return unsafe_attribute(value, key.bytes());
    if (!value.is_dict() && find_attribute(value, key.bytes(), context, found)) return found;
    if (value.is_dict() && !is_unsafe(value, key.bytes()) && find_attribute(value, key.bytes(), context, found))
      return found;
    return missing_attribute(value, key.bytes());
  }
  return Value::undefined(
      fmt::format("UndefinedError: {} has no element {}", shown_type(value), repr(key, context.meter())));
}

Value get_slice(const Value& value, const Value& start, const Value& stop, const Value& step, Context& context) {
  if (value.is_undefined()) fail_undefined(value);
  if (value.is_text())
    return slice_text(value.as_text(), indices(start, stop, step, static_cast<int64_t>(value.as_text().length)),
                      context);
  if (value.is_dict()) raise("TypeError", "unhashable type: 'slice'");
  if (!can_be_indexed(value)) raise("TypeError", fmt::format("'{}' object is not subscriptable", type_name(value)));
  const std::vector<Value>& items = value.as_sequence().items;
  const Indices range = indices(start, stop, step, static_cast<int64_t>(items.size()));
  std::vector<Value> part;
  for (int64_t i = range.start; range.step > 0 ? i < range.stop : i > range.stop; i += range.step)
    part.push_back(items[static_cast<size_t>(i)]);
  return context.list(std::move(part), value.as_sequence().type);
}

Value call_method(const Value& value, const std::string& name, const Arguments& arguments, Context& context) {
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_object() && !is_unsafe(value, name))
    if (const Method method = find_method(value, name))
      return value.is_markup() ? call_on_markup(method, name, value, arguments, context)
                               : method(context, value, arguments);
  return call(get_attribute(value, name, context), arguments, context);
}

Value call(const Value& function, const Arguments& arguments, Context& context) {
  if (function.is_undefined()) fail_undefined(function);
  if (!function.is_object()) raise("TypeError", fmt::format("'{}' object is not callable", type_name(function)));
  const Context::DepthGuard guard(context);
  return function.as_object().call(context, arguments);
}

}  // namespace cleave::jinja
