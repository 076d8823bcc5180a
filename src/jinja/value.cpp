#include "jinja/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// Limit of the levels of containers, because printing, comparing and freeing them nests as many calls.
constexpr int kMaxDepth = 300;
// The number of entries up to which a dict is searched one by one.
constexpr size_t kSmallDict = 8;

size_t count_characters(std::string_view bytes) {
  return static_cast<size_t>(
      std::count_if(bytes.begin(), bytes.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

int checked_depth(int value) {
  if (value > kMaxDepth) raise("RecursionError", fmt::format("containers nested deeper than {}", kMaxDepth));
  return value;
}

bool equal_sequences(const Sequence& a, const Sequence& b, Meter& meter) {
  using Type = Sequence::Type;
  if (a.type != b.type || a.type == Type::Generator || a.type == Type::Values) return &a == &b;
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                    [&](const Value& x, const Value& y) { return equal(x, y, meter); });
}

bool equal_dicts(const Dict& a, const Dict& b, Meter& meter) {
  if (a.entries().size() != b.entries().size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const Dict::Entry& entry) {
    const Value* other = b.find(entry.first);
    return other != nullptr && equal(entry.second, *other, meter);
  });
}

// A meter for the comparison of keys, which counts for no rendering: keys are compared only if their hashes are equal.
bool same_key(const Value& a, const Value& b) {
  Meter free(Limits{});
  return equal(a, b, free);
}

}  // namespace

void raise(std::string_view type, std::string_view message) {
  fail(ErrorKind::InvalidArgument, "{}: {}", type, message);
}

void fail_undefined(const Value& value) {
  fail(ErrorKind::InvalidArgument, "{}", value.undefined_error());
}

Value Object::call(Context&, const Arguments&) {
  raise("TypeError", fmt::format("'{}' object is not callable", type_name()));
}

bool Object::attribute(Context&, const std::string&, Value&) {
  return false;
}

std::string Object::repr() const {
  return fmt::format("<{}>", type_name());
}

Text::Text(Meter* meter, std::string content, bool markup)
    : bytes(std::move(content)),
      length(count_characters(bytes)),
      is_markup(markup),
      charge(meter, sizeof(Text) + bytes.size()) {}

Sequence::Sequence(Meter* meter, Type kind, std::vector<Value> values)
    : type(kind), items(std::move(values)), depth(1), charge(meter, sizeof(Sequence) + items.size() * sizeof(Value)) {
  for (const Value& item : items) depth = std::max(depth, checked_depth(jinja::depth(item) + 1));
}

Dict::Dict(Meter* meter, const Dict& other) : meter_(meter) {
  for (const Entry& entry : other.entries_) set(entry.first, entry.second);
}

Dict::~Dict() {
  if (meter_ != nullptr) meter_->give_memory(charged_);
}

void Dict::set(Value key, Value value) {
  depth_ = std::max(depth_, checked_depth(jinja::depth(value) + 1));
  if (const size_t found = place_of(key); found < entries_.size()) {
    entries_[found].second = std::move(value);
    return;
  }
  constexpr size_t kEntryBytes = sizeof(Entry) + 64;  // an entry with its part of the index
  if (meter_ != nullptr) {
    meter_->step();
    meter_->take_memory(kEntryBytes);
    charged_ += kEntryBytes;
  }
  entries_.emplace_back(std::move(key), std::move(value));
  if (entries_.size() == kSmallDict + 1)
    for (size_t i = 0; i < kSmallDict; ++i) index_.emplace(hash(entries_[i].first), i);
  if (entries_.size() > kSmallDict) index_.emplace(hash(entries_.back().first), entries_.size() - 1);
}

size_t Dict::place_of(const Value& key) const {
  const size_t hashed = hash(key);  // raises where the key cannot be one
  if (entries_.size() <= kSmallDict) {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return same_key(entry.first, key); });
    return static_cast<size_t>(found - entries_.begin());
  }
  for (auto [at, end] = index_.equal_range(hashed); at != end; ++at)
    if (same_key(entries_[at->second].first, key)) return at->second;
  return entries_.size();
}

const Value* Dict::find(const Value& key) const {
  const size_t place = place_of(key);
  return place < entries_.size() ? &entries_[place].second : nullptr;
}

const Value* Dict::find(std::string_view key) const {
  if (entries_.size() > kSmallDict) return find(Value::text(nullptr, std::string(key)));
  for (const Entry& entry : entries_)
    if (entry.first.is_text() && entry.first.bytes() == key) return &entry.second;
  return nullptr;
}

Value Value::text(Meter* meter, std::string bytes, bool markup) {
  return {std::make_shared<const Text>(meter, std::move(bytes), markup)};
}

Value Value::sequence(Meter* meter, Sequence::Type type, std::vector<Value> items) {
  return {std::make_shared<const Sequence>(meter, type, std::move(items))};
}

Value Value::undefined(std::string error) {
  Value value;
  value.data_ = std::make_shared<const Undefined>(Undefined{std::move(error)});
  return value;
}

bool truth(const Value& value) {
  if (value.is_bool()) return value.as_bool();
  if (value.is_integer()) return value.as_integer() != 0;
  if (value.is_float()) return value.as_double() != 0;
  if (value.is_text()) return !value.bytes().empty();
  if (value.is_sequence()) return value.is_sequence(Sequence::Type::Generator) || !value.as_sequence().items.empty();
  if (value.is_dict()) return !value.as_dict().entries().empty();
  return value.is_object();
}

bool equal(const Value& a, const Value& b, Meter& meter) {
  meter.step();
  if (a.is_number() && b.is_number())
    return a.is_float() || b.is_float() ? a.as_double() == b.as_double() : a.as_integer() == b.as_integer();
  if (a.is_text() && b.is_text()) return a.bytes() == b.bytes();
  if (a.is_sequence() && b.is_sequence()) return equal_sequences(a.as_sequence(), b.as_sequence(), meter);
  if (a.is_dict() && b.is_dict()) return equal_dicts(a.as_dict(), b.as_dict(), meter);
  if (a.is_object() && b.is_object()) return &a.as_object() == &b.as_object();
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

bool less(const Value& a, const Value& b, Meter& meter, const char* sign) {
  meter.step();
  if (a.is_number() && b.is_number())
    return a.is_float() || b.is_float() ? a.as_double() < b.as_double() : a.as_integer() < b.as_integer();
  // UTF-8 has the order of code points.
  if (a.is_text() && b.is_text()) return a.bytes() < b.bytes();
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined()) fail_undefined(b);
  const bool ordered = a.is_list() || a.is_sequence(Sequence::Type::Tuple);
  if (ordered && b.is_sequence(a.as_sequence().type)) {
    const std::vector<Value>& left = a.as_sequence().items;
    const std::vector<Value>& right = b.as_sequence().items;
    for (size_t i = 0; i < std::min(left.size(), right.size()); ++i)
      if (!equal(left[i], right[i], meter)) return less(left[i], right[i], meter, sign);
    return left.size() < right.size();
  }
  raise("TypeError",
        fmt::format("'{}' not supported between instances of '{}' and '{}'", sign, type_name(a), type_name(b)));
}

bool contains(const Value& container, const Value& item, Meter& meter) {
  if (container.is_text()) {
    if (!item.is_text())
      raise("TypeError", fmt::format("'in <string>' requires string as left operand, not {}", type_name(item)));
    meter.step(container.bytes().size() / 64);
    return container.bytes().find(item.bytes()) != std::string::npos;
  }
  if (container.is_dict()) return container.as_dict().find(item) != nullptr;
  if (container.is_undefined()) return false;
  if (!container.is_sequence())
    raise("TypeError", fmt::format("argument of type '{}' is not iterable", type_name(container)));
  const std::vector<Value> items = iterate(container, meter);
  return std::any_of(items.begin(), items.end(), [&](const Value& value) { return equal(value, item, meter); });
}

size_t hash(const Value& value) {
  if (value.is_number()) {
    // Equal numbers of different types have one hash.
    const double number = value.as_double();
    return std::hash<double>()(number == 0 ? 0.0 : number);
  }
  if (value.is_text()) return std::hash<std::string>()(value.bytes());
  if (value.is_object()) return std::hash<const void*>()(&value.as_object());
  if (value.is_none() || value.is_undefined()) return 1;
  if (value.is_sequence(Sequence::Type::Tuple)) {
    size_t sum = 7;
    for (const Value& item : value.as_sequence().items) sum = sum * 31 + hash(item);
    return sum;
  }
  raise("TypeError", fmt::format("unhashable type: '{}'", type_name(value)));
}

std::string type_name(const Value& value) {
  if (value.is_none()) return "NoneType";
  if (value.is_undefined()) return "Undefined";
  if (value.is_bool()) return "bool";
  if (value.is_integer()) return "int";
  if (value.is_float()) return "float";
  if (value.is_text()) return value.is_markup() ? "Markup" : "str";
  if (value.is_dict()) return "dict";
  if (value.is_object()) return value.as_object().type_name();
  switch (value.as_sequence().type) {
    case Sequence::Type::List:
      return "list";
    case Sequence::Type::Tuple:
      return "tuple";
    case Sequence::Type::Range:
      return "range";
    case Sequence::Type::Keys:
      return "dict_keys";
    case Sequence::Type::Values:
      return "dict_values";
    case Sequence::Type::Items:
      return "dict_items";
    case Sequence::Type::Generator:
      break;
  }
  return "generator";
}

std::vector<Value> iterate(const Value& value, Meter& meter) {
  std::vector<Value> items;
  if (value.is_sequence()) {
    const Sequence& sequence = value.as_sequence();
    meter.step(sequence.items.size());
    if (sequence.type != Sequence::Type::Generator) return sequence.items;
    items.assign(sequence.items.begin() + static_cast<std::ptrdiff_t>(sequence.taken), sequence.items.end());
    sequence.taken = sequence.items.size();
    return items;
  }
  if (value.is_dict()) {
    meter.step(value.as_dict().entries().size());
    for (const Dict::Entry& entry : value.as_dict().entries()) items.push_back(entry.first);
    return items;
  }
  if (value.is_text()) {
    const std::string& bytes = value.bytes();
    meter.step(value.as_text().length);
    for (size_t i = 0; i < bytes.size();) {
      const size_t size = unicode::utf8_at(bytes, i).size;
      items.push_back(Value::text(&meter, bytes.substr(i, size)));
      i += size;
    }
    return items;
  }
  if (value.is_undefined()) return items;
  raise("TypeError", fmt::format("'{}' object is not iterable", type_name(value)));
}

size_t length(const Value& value) {
  if (value.is_text()) return value.as_text().length;
  if (value.is_dict()) return value.as_dict().entries().size();
  if (value.is_undefined()) return 0;
  if (value.is_sequence() && !value.is_sequence(Sequence::Type::Generator)) return value.as_sequence().items.size();
  raise("TypeError", fmt::format("object of type '{}' has no len()", type_name(value)));
}

int depth(const Value& value) {
  return value.is_sequence() ? value.as_sequence().depth : value.is_dict() ? value.as_dict().depth() : 0;
}

}  // namespace cleave::jinja
