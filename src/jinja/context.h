#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "jinja/lexer.h"
#include "jinja/value.h"

namespace cleave::jinja {

/// The variables of a block, with a link to the scope around it. An assignment changes the scope in which it is made
/// and none around it.
struct Scope {
  explicit Scope(std::shared_ptr<Scope> outer) : parent(std::move(outer)) {}
  /// The variable in this scope or the nearest one around it; null if there is none.
  const Value* find(const std::string& name) const;

  std::shared_ptr<Scope> parent;  // null for the outermost
  std::unordered_map<std::string, Value> variables;
};

/// The state of one rendering: its output, variables, objects, and how much of its limits it has used. Not thread-safe.
class Context {
 public:
  explicit Context(const Limits& limits) : meter_(limits), scope_(std::make_shared<Scope>(nullptr)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Meter& meter() { return meter_; }
  Value text(std::string bytes, bool markup = false) { return Value::text(&meter_, std::move(bytes), markup); }
  Value list(std::vector<Value> items, Sequence::Type type = Sequence::Type::List) {
    return Value::sequence(&meter_, type, std::move(items));
  }
  std::string str(const Value& value) { return jinja::str(value, meter_); }

  /// The place in the template that is being rendered, for errors.
  Place place() const { return place_; }
  void at(Place place) { place_ = place; }

  const std::shared_ptr<Scope>& scope() const { return scope_; }
  /// The variable of that name, or an undefined value that names it.
  Value look_up(const std::string& name) const;
  void assign(const std::string& name, Value value) { scope_->variables.insert_or_assign(name, std::move(value)); }

  /// Appends to the output. Throws Error(InvalidArgument) beyond Limits::output_bytes.
  void write(std::string_view text);

  /// Makes an object that lives as long as the context.
  template <class T, class... Args>
  T* make(Args&&... args) {
    constexpr size_t kObjectBytes = 256;  // a rough size of an object with its contents
    meter_.take_memory(kObjectBytes);
    auto object = std::make_unique<T>(std::forward<Args>(args)...);
    T* result = object.get();
    objects_.push_back(std::move(object));
    return result;
  }

  /// Opens a scope within `outer` and closes it on destruction.
  class ScopeGuard {
   public:
    ScopeGuard(Context& context, std::shared_ptr<Scope> outer)
        : context_(context), saved_(std::exchange(context.scope_, std::make_shared<Scope>(std::move(outer)))) {}
    ScopeGuard(const ScopeGuard&) = delete;
    ScopeGuard& operator=(const ScopeGuard&) = delete;
    ~ScopeGuard() { context_.scope_ = std::move(saved_); }

   private:
    Context& context_;
    std::shared_ptr<Scope> saved_;
  };

  /// Diverts the output into a text of its own until destruction.
  class Capture {
   public:
    explicit Capture(Context& context) : context_(context) { std::swap(context_.output_, saved_); }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    ~Capture() { std::swap(context_.output_, saved_); }
    std::string take() { return std::move(context_.output_); }

   private:
    Context& context_;
    std::string saved_;
  };

  /// Counts as one nested evaluation until destruction. Throws Error(InvalidArgument) beyond Limits::depth.
  class DepthGuard {
   public:
    explicit DepthGuard(Context& context);
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;
    ~DepthGuard() { --context_.depth_; }

   private:
    Context& context_;
  };

  std::string take_output() { return std::move(output_); }

 private:
  Meter meter_;  // outlives all values
  std::deque<std::unique_ptr<Object>> objects_;
  std::shared_ptr<Scope> scope_;
  std::string output_;
  Place place_;
  int depth_ = 0;
};

}  // namespace cleave::jinja
