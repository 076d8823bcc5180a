#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "jinja/meter.h"

namespace cleave::jinja {

class Context;
class Dict;
class Object;
class Value;
struct Sequence;
struct Text;

/// The types of Python that a Sequence stands for.
enum class SequenceType { List, Tuple, Range, Keys, Values, Items, Generator };

/// Throws Error(InvalidArgument) with the message of a Python exception: "TYPE: MESSAGE".
[[noreturn]] void raise(std::string_view type, std::string_view message);
/// Throws the error of an undefined value, for an operation that needs a defined one.
[[noreturn]] void fail_undefined(const Value& value);

/// A value of one of Python's types. Texts and containers are shared by copies and never change once they are made, so
/// copies are cheap and there are no cycles; the sandbox of Transformers forbids changes, too.
class Value {
 public:
  struct Undefined {
    std::string error;  // "UndefinedError: 'x' is undefined"
  };

  Value() = default;                                                   // None
  Value(bool value) : data_(value) {}                                  // NOLINT(google-explicit-constructor)
  Value(int64_t value) : data_(value) {}                               // NOLINT(google-explicit-constructor)
  Value(double value) : data_(value) {}                                // NOLINT(google-explicit-constructor)
  Value(Object* object) : data_(object) {}                             // NOLINT(google-explicit-constructor)
  Value(std::shared_ptr<const Text> text) : data_(std::move(text)) {}  // NOLINT
  Value(std::shared_ptr<const Sequence> sequence) : data_(std::move(sequence)) {}  // NOLINT
  Value(std::shared_ptr<const Dict> dict) : data_(std::move(dict)) {}              // NOLINT

  static Value text(Meter* meter, std::string bytes, bool markup = false);
  static Value sequence(Meter* meter, SequenceType type, std::vector<Value> items);
  static Value undefined(std::string error);

  bool is_undefined() const { return holds<std::shared_ptr<const Undefined>>(); }
  bool is_none() const { return holds<std::monostate>(); }
  bool is_bool() const { return holds<bool>(); }
  bool is_integer() const { return holds<int64_t>(); }  // but not a bool
  bool is_float() const { return holds<double>(); }
  bool is_number() const { return is_bool() || is_integer() || is_float(); }
  bool is_text() const { return holds<std::shared_ptr<const Text>>(); }
  bool is_markup() const;  // a text with which others are escaped (markup.h)
  bool is_sequence() const { return holds<std::shared_ptr<const Sequence>>(); }
  bool is_sequence(SequenceType type) const;
  bool is_list() const { return is_sequence(SequenceType::List); }
  bool is_dict() const { return holds<std::shared_ptr<const Dict>>(); }
  bool is_object() const { return holds<Object*>(); }

  const std::string& undefined_error() const { return std::get<std::shared_ptr<const Undefined>>(data_)->error; }
  const Text& as_text() const { return *std::get<std::shared_ptr<const Text>>(data_); }
  const std::string& bytes() const;
  const Sequence& as_sequence() const { return *std::get<std::shared_ptr<const Sequence>>(data_); }
  const Dict& as_dict() const { return *std::get<std::shared_ptr<const Dict>>(data_); }
  Object& as_object() const { return *std::get<Object*>(data_); }
  bool as_bool() const { return std::get<bool>(data_); }
  /// The integer that a bool or an integer is. REQUIRES: is_bool() or is_integer().
  int64_t as_integer() const { return is_bool() ? static_cast<int64_t>(as_bool()) : std::get<int64_t>(data_); }
  /// REQUIRES: is_number().
  double as_double() const { return is_float() ? std::get<double>(data_) : static_cast<double>(as_integer()); }

 private:
  template <class T>
  bool holds() const {
    return std::holds_alternative<T>(data_);
  }

  std::variant<std::monostate, std::shared_ptr<const Undefined>, bool, int64_t, double, std::shared_ptr<const Text>,
               std::shared_ptr<const Sequence>, std::shared_ptr<const Dict>, Object*>
      data_;
};

/// The values of a call's arguments.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// A value with attributes or that can be called, such as a macro, a namespace or a loop. Owned by the Context.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string type_name() const = 0;  // "Macro"
  virtual bool is_callable() const { return false; }
  virtual Value call(Context& context, const Arguments& arguments);
  /// Sets `value` to the attribute of that name; false if there is none.
  virtual bool attribute(Context& context, const std::string& name, Value& value);
  virtual std::string repr() const;
};

/// A text in UTF-8 with its length in characters, which Python's len() and indices count.
struct Text {
  Text(Meter* meter, std::string content, bool markup = false);
  std::string bytes;
  size_t length;
  bool is_markup;
  Charge charge;
};

/// The items of a list, a tuple or another type that can be iterated.
struct Sequence {
  using Type = SequenceType;
  Sequence(Meter* meter, Type kind, std::vector<Value> values);
  Type type;
  std::vector<Value> items;
  mutable size_t taken = 0;  // items that were taken out of a Generator, each of which it gives once
  std::span<const std::string_view> fields = {};  // names of the items of a named tuple; they outlive the rendering
  int depth;                                      // levels of nested containers
  Charge charge;
};

/// A dict, which keeps its entries in the order of insertion.
class Dict {
 public:
  using Entry = std::pair<Value, Value>;
  explicit Dict(Meter* meter) : meter_(meter) {}
  Dict(Meter* meter, const Dict& other);
  ~Dict();
  Dict& operator=(const Dict&) = delete;

  /// Adds an entry or replaces the value of one.
  void set(Value key, Value value);
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  const std::vector<Entry>& entries() const { return entries_; }
  int depth() const { return depth_; }

 private:
  size_t place_of(const Value& key) const;  // the key's entry; the number of entries if there is none

  std::vector<Entry> entries_;
  std::unordered_multimap<size_t, size_t> index_;  // hash of a key -> its entry
  Meter* meter_;
  size_t charged_ = 0;
  int depth_ = 1;
};

inline bool Value::is_sequence(SequenceType type) const {
  return is_sequence() && as_sequence().type == type;
}
inline bool Value::is_markup() const {
  return is_text() && as_text().is_markup;
}
inline const std::string& Value::bytes() const {
  return as_text().bytes;
}

// Python's built-in functions and operators of these names. Those that take a meter count their work as steps.
bool truth(const Value& value);
bool equal(const Value& a, const Value& b, Meter& meter);
/// a < b. Raises TypeError if the types have no order, naming the operator `sign`.
bool less(const Value& a, const Value& b, Meter& meter, const char* sign = "<");
bool contains(const Value& container, const Value& item, Meter& meter);
size_t hash(const Value& value);
std::string type_name(const Value& value);  // "str", "NoneType"
std::string repr(const Value& value, Meter& meter);
std::string str(const Value& value, Meter& meter);
/// ascii() of a text that repr() gave: every character that is not ASCII as an escape.
std::string ascii(std::string_view text);
/// repr() of a float: the shortest digits that give the same number back.
std::string repr_float(double value);

/// The items that `for` goes through: characters of a text, keys of a dict, items of a sequence; those of a generator
/// come once. Raises TypeError for another type.
std::vector<Value> iterate(const Value& value, Meter& meter);
/// len(value). Raises TypeError.
size_t length(const Value& value);
/// The levels of containers in the value: 0 for one that is no container.
int depth(const Value& value);

}  // namespace cleave::jinja
