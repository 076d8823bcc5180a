#pragma once

#include <cstdint>
#include <memory>
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

enum class SequenceType { List, Tuple, Range, Keys, Values, Items, Generator };

/// Throws Error(InvalidArgument) with what Python would raise: "TypeError: ...".
[[noreturn]] void raise(std::string_view type, std::string_view message);
/// Throws the error of an undefined value that is used.
[[noreturn]] void fail_undefined(const Value& value);

/// A value as Python has it. Texts and containers are shared and never change once they are made (the sandbox that
/// Transformers uses forbids it too), so copies are cheap and there are no cycles.
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

  static Value text(Meter* meter, std::string bytes);
  static Value sequence(Meter* meter, SequenceType type, std::vector<Value> items);
  static Value undefined(std::string error);

  bool is_undefined() const { return holds<std::shared_ptr<const Undefined>>(); }
  bool is_none() const { return holds<std::monostate>(); }
  bool is_bool() const { return holds<bool>(); }
  bool is_integer() const { return holds<int64_t>(); }  // but not a bool
  bool is_float() const { return holds<double>(); }
  bool is_number() const { return is_bool() || is_integer() || is_float(); }
  bool is_text() const { return holds<std::shared_ptr<const Text>>(); }
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

/// Arguments of a call.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// Something with attributes or that can be called: a macro, a namespace, a loop. Owned by the rendering (Context).
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string type_name() const = 0;  // "Macro"
  virtual bool is_callable() const { return false; }
  virtual Value call(Context& context, const Arguments& arguments);
  /// False where there is no such attribute.
  virtual bool attribute(Context& context, const std::string& name, Value& value);
  virtual std::string repr() const;
};

/// A text with its length in characters, which is what Python counts.
struct Text {
  Text(Meter* meter, std::string content);
  std::string bytes;
  size_t length;
  Charge charge;
};

/// Lists and what else is iterated.
struct Sequence {
  using Type = SequenceType;
  Sequence(Meter* meter, Type kind, std::vector<Value> values);
  Type type;
  std::vector<Value> items;
  mutable size_t taken = 0;  // by those who went through a generator, which can be done once
  int depth;                 // of nested containers
  Charge charge;
};

/// A dict in the order of insertion.
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
  size_t place_of(const Value& key) const;  // the number of entries where it is not there

  std::vector<Entry> entries_;
  std::unordered_multimap<size_t, size_t> index_;  // hash of a key -> its entry
  Meter* meter_;
  size_t charged_ = 0;
  int depth_ = 1;
};

inline bool Value::is_sequence(SequenceType type) const {
  return is_sequence() && as_sequence().type == type;
}
inline const std::string& Value::bytes() const {
  return as_text().bytes;
}

// What Python's built-in functions of these names give. Those with a meter count the work.
bool truth(const Value& value);
bool equal(const Value& a, const Value& b, Meter& meter);
/// a < b; raises TypeError where they have no order. `sign` is for the message.
bool less(const Value& a, const Value& b, Meter& meter, const char* sign = "<");
bool contains(const Value& container, const Value& item, Meter& meter);
size_t hash(const Value& value);
std::string type_name(const Value& value);  // "str", "NoneType"
std::string repr(const Value& value, Meter& meter);
std::string str(const Value& value, Meter& meter);
/// As repr() of a float: the shortest digits that give it back.
std::string repr_float(double value);

/// What `for` goes through: characters, keys, items. A generator is empty the second time. Raises TypeError.
std::vector<Value> iterate(const Value& value, Meter& meter);
/// len(); raises TypeError.
size_t length(const Value& value);
/// How deeply containers are nested in the value: 0 for one that is none.
int depth(const Value& value);

}  // namespace cleave::jinja
