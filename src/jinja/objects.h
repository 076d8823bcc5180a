#pragma once

#include <functional>
#include <string>
#include <vector>

#include "jinja/ast.h"

namespace cleave::jinja {

/// The result of namespace(...), the one kind of object whose attributes a template may set.
class Namespace final : public Object {
 public:
  explicit Namespace(Meter& meter) : meter_(meter) {}
  std::string type_name() const override { return "Namespace"; }
  bool attribute(Context& context, const std::string& name, Value& value) override;
  std::string repr() const override;
  void set(const std::string& name, Value value);

 private:
  Meter& meter_;
  std::vector<std::pair<std::string, Value>> attributes_;
};

/// A function that the template defines, with the scope in which it is defined.
class Macro final : public Object {
 public:
  Macro(const MacroDefinition& definition, std::shared_ptr<Scope> scope)
      : definition_(definition), scope_(std::move(scope)) {}
  std::string type_name() const override { return "Macro"; }
  bool is_callable() const override { return true; }
  Value call(Context& context, const Arguments& arguments) override;
  bool attribute(Context& context, const std::string& name, Value& value) override;
  std::string repr() const override;

 private:
  void bind(Context& context, const Arguments& arguments) const;
  void bind_more(Context& context, const Arguments& arguments, std::vector<const Value*>& given) const;

  const MacroDefinition& definition_;
  std::shared_ptr<Scope> scope_;
};

/// A function that the program provides.
class Builtin final : public Object {
 public:
  using Function = std::function<Value(Context&, const Arguments&)>;
  Builtin(std::string name, Function function) : name_(std::move(name)), function_(std::move(function)) {}
  std::string type_name() const override { return "function"; }
  bool is_callable() const override { return true; }
  Value call(Context& context, const Arguments& arguments) override { return function_(context, arguments); }
  std::string repr() const override;

 private:
  std::string name_;
  Function function_;
};

/// The variable `loop` within `{% for %}`.
class Loop final : public Object {
 public:
  /// Renders the loop's body for other items, as loop(...) does in a recursive loop.
  using Recurse = std::function<Value(const Value& items)>;
  Loop(std::vector<Value> items, int64_t depth, Recurse recurse)
      : items_(std::move(items)), depth_(depth), recurse_(std::move(recurse)) {}
  std::string type_name() const override { return "LoopContext"; }
  bool is_callable() const override { return recurse_ != nullptr; }
  Value call(Context& context, const Arguments& arguments) override;
  bool attribute(Context& context, const std::string& name, Value& value) override;

  const std::vector<Value>& items() const { return items_; }
  void at(size_t index) { index_ = index; }
  /// Releases the items after the last turn, because a namespace may keep this object until the end of the rendering.
  void end() { items_.clear(), recurse_ = nullptr; }

 private:
  Value neighbour(std::ptrdiff_t offset, const char* name) const;

  std::vector<Value> items_;
  size_t index_ = 0;
  int64_t depth_;
  Recurse recurse_;
  std::vector<Value> last_;  // the arguments of the last call of changed()
};

/// Defines the functions that every template may call: namespace, range, dict, raise_exception, strftime_now ...
void define_globals(Context& context);

}  // namespace cleave::jinja
