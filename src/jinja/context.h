#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "jinja/lexer.h"
#include "jinja/value.h"

namespace cleave::jinja {

/// Variables and where those are that are not among them. Assignments stay in the scope in which they are made.
struct Scope {
  explicit Scope(std::shared_ptr<Scope> outer) : parent(std::move(outer)) {}
  const Value* find(const std::string& name) const;

  std::shared_ptr<Scope> parent;  // null for the outermost
  std::unordered_map<std::string, Value> variables;
};

/// The state of one rendering: what has been written, the variables in sight, what is used up, the objects made. Not
/// thread-safe.
class Context {
 public:
  explicit Context(const Limits& limits) : meter_(limits), scope_(std::make_shared<Scope>(nullptr)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Meter& meter() { return meter_; }
  Value text(std::string bytes) { return Value::text(&meter_, std::move(bytes)); }
  Value list(std::vector<Value> items, Sequence::Type type = Sequence::Type::List) {
    return Value::sequence(&meter_, type, std::move(items));
  }
  std::string str(const Value& value) { return jinja::str(value, meter_); }

  /// Where in the template the rendering is, for errors.
  Place place() const { return place_; }
  void at(Place place) { place_ = place; }

  const std::shared_ptr<Scope>& scope() const { return scope_; }
  /// A variable, or an undefined value that says which is missing.
  Value look_up(const std::string& name) const;
  void assign(const std::string& name, Value value) { scope_->variables.insert_or_assign(name, std::move(value)); }

  /// Appends to what has been written. Throws beyond the limit.
  void write(std::string_view text);

  /// An object that lives as long as the rendering.
  template <class T, class... Args>
  T* make(Args&&... args) {
    constexpr size_t kObjectBytes = 256;  // with what it holds, roughly
    meter_.take_memory(kObjectBytes);
    auto object = std::make_unique<T>(std::forward<Args>(args)...);
    T* result = object.get();
    objects_.push_back(std::move(object));
    return result;
  }

  /// Puts a scope in sight for as long as it lives.
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

  /// Catches what is written for as long as it lives.
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

  /// Counts a nested evaluation for as long as it lives. Throws beyond the limit.
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
