#include <fmt/format.h>

#include "jinja/ast.h"
#include "jinja/filters.h"
#include "jinja/objects.h"
#include "jinja/operators.h"

namespace cleave::jinja {
namespace {

class NameTarget final : public Target {
 public:
  explicit NameTarget(std::string name) : name_(std::move(name)) {}
  void assign(Context& context, const Value& value) const override { context.assign(name_, value); }

 private:
  std::string name_;
};

class AttributeTarget final : public Target {
 public:
  AttributeTarget(std::string name, std::string attribute) : name_(std::move(name)), attribute_(std::move(attribute)) {}
  void assign(Context& context, const Value& value) const override {
    const Value object = context.look_up(name_);
    auto* target = object.is_object() ? dynamic_cast<Namespace*>(&object.as_object()) : nullptr;
    if (target == nullptr) raise("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
    target->set(attribute_, value);
  }

 private:
  std::string name_;
  std::string attribute_;
};

class TupleTarget final : public Target {
 public:
  explicit TupleTarget(std::vector<TargetPointer> targets) : targets_(std::move(targets)) {}
  void assign(Context& context, const Value& value) const override {
    if (!value.is_sequence() && !value.is_dict() && !value.is_text())
      raise("TypeError", fmt::format("cannot unpack non-iterable {} object", type_name(value)));
    const std::vector<Value> values = iterate(value, context.meter());
    if (values.size() < targets_.size())
      raise("ValueError",
            fmt::format("not enough values to unpack (expected {}, got {})", targets_.size(), values.size()));
    if (values.size() > targets_.size())
      raise("ValueError", fmt::format("too many values to unpack (expected {})", targets_.size()));
    for (size_t i = 0; i < values.size(); ++i) targets_[i]->assign(context, values[i]);
  }

 private:
  std::vector<TargetPointer> targets_;
};

class Data final : public Statement {
 public:
  Data(Place place, std::string text) : Statement(place), text_(std::move(text)) {}

 protected:
  Flow run(Context& context) const override { return context.write(text_), Flow::On; }

 private:
  std::string text_;
};

class OutputStatement final : public Statement {
 public:
  OutputStatement(Place place, ExpressionPointer value) : Statement(place), value_(std::move(value)) {}

 protected:
  Flow run(Context& context) const override {
    const Value value = value_->evaluate(context);
    context.at(place());
    if (value.is_text())
      context.write(value.bytes());
    else
      context.write(context.str(value));
    return Flow::On;
  }

 private:
  ExpressionPointer value_;
};

class If final : public Statement {
 public:
  If(Place place, std::vector<std::pair<ExpressionPointer, Statements>> branches, Statements otherwise)
      : Statement(place), branches_(std::move(branches)), otherwise_(std::move(otherwise)) {}

 protected:
  Flow run(Context& context) const override {
    for (const auto& [condition, body] : branches_)
      if (truth(condition->evaluate(context))) return execute_all(body, context);
    return execute_all(otherwise_, context);
  }

 private:
  std::vector<std::pair<ExpressionPointer, Statements>> branches_;
  Statements otherwise_;
};

class For final : public Statement {
 public:
  For(Place place, ForParts parts) : Statement(place), parts_(std::move(parts)) {}

 protected:
  Flow run(Context& context) const override { return loop(context, parts_.items->evaluate(context), 1); }

 private:
  // As in Jinja2, the else part runs where no turn came to its end: break and continue keep one from it. Gives what a
  // break or continue in the else part does to a loop around this one.
  Flow loop(Context& context, const Value& source, int64_t depth) const {
    context.at(place());
    const std::shared_ptr<Scope> outer = context.scope();
    std::vector<Value> items = chosen(context, iterate(source, context.meter()));
    bool completed = false;
    if (!items.empty()) {
      auto* state = context.make<Loop>(std::move(items), depth, recursion(context, outer, depth));
      for (size_t i = 0; i < state->items().size(); ++i) {
        const Context::ScopeGuard scope(context, outer);
        state->at(i);
        context.assign("loop", {state});
        parts_.target->assign(context, state->items()[i]);
        const Flow flow = execute_all(parts_.body, context);
        completed = completed || flow == Flow::On;
        if (flow == Flow::Break) break;
      }
      state->end();
    }
    if (completed) return Flow::On;
    const Context::ScopeGuard scope(context, outer);
    return execute_all(parts_.otherwise, context);
  }

  // The items for which the condition of the loop holds.
  std::vector<Value> chosen(Context& context, std::vector<Value> items) const {
    if (parts_.condition == nullptr) return items;
    const Context::ScopeGuard scope(context, context.scope());
    std::vector<Value> result;
    for (Value& item : items) {
      parts_.target->assign(context, item);
      if (truth(parts_.condition->evaluate(context))) result.push_back(std::move(item));
    }
    return result;
  }

  Loop::Recurse recursion(Context& context, const std::shared_ptr<Scope>& outer, int64_t depth) const {
    if (!parts_.recursive) return nullptr;
    // Not the scope itself: the loop must not hold what may hold the loop.
    return [this, &context, weak = std::weak_ptr(outer), depth](const Value& items) {
      const Context::DepthGuard guard(context);
      const Context::ScopeGuard scope(context, weak.lock());
      Context::Capture capture(context);
      loop(context, items, depth + 1);
      return context.text(capture.take());
    };
  }

  ForParts parts_;
};

class Set final : public Statement {
 public:
  Set(Place place, TargetPointer target, ExpressionPointer value)
      : Statement(place), target_(std::move(target)), value_(std::move(value)) {}

 protected:
  Flow run(Context& context) const override {
    const Value value = value_->evaluate(context);
    context.at(place());
    target_->assign(context, value);
    return Flow::On;
  }

 private:
  TargetPointer target_;
  ExpressionPointer value_;
};

// The output of statements after filters.
Value rendered(const Statements& body, const BlockFilters& filters, Context& context) {
  Value value;
  {
    const Context::ScopeGuard scope(context, context.scope());
    Context::Capture capture(context);
    execute_all(body, context);
    value = context.text(capture.take());
  }
  for (const auto& [name, arguments] : filters) value = apply_filter(name, value, arguments.evaluate(context), context);
  return value;
}

class SetBlock final : public Statement {
 public:
  SetBlock(Place place, TargetPointer target, BlockFilters filters, Statements body)
      : Statement(place), target_(std::move(target)), filters_(std::move(filters)), body_(std::move(body)) {}

 protected:
  Flow run(Context& context) const override {
    target_->assign(context, rendered(body_, filters_, context));
    return Flow::On;
  }

 private:
  TargetPointer target_;
  BlockFilters filters_;
  Statements body_;
};

class FilterBlock final : public Statement {
 public:
  FilterBlock(Place place, BlockFilters filters, Statements body)
      : Statement(place), filters_(std::move(filters)), body_(std::move(body)) {}

 protected:
  Flow run(Context& context) const override {
    context.write(context.str(rendered(body_, filters_, context)));
    return Flow::On;
  }

 private:
  BlockFilters filters_;
  Statements body_;
};

class MacroStatement final : public Statement {
 public:
  MacroStatement(Place place, MacroDefinition definition) : Statement(place), definition_(std::move(definition)) {}

 protected:
  Flow run(Context& context) const override {
    context.assign(definition_.name, {context.make<Macro>(definition_, context.scope())});
    return Flow::On;
  }

 private:
  MacroDefinition definition_;
};

class CallBlock final : public Statement {
 public:
  CallBlock(Place place, ExpressionPointer function, ArgumentList arguments, MacroDefinition caller)
      : Statement(place),
        function_(std::move(function)),
        arguments_(std::move(arguments)),
        caller_(std::move(caller)) {}

 protected:
  Flow run(Context& context) const override {
    const Value function = function_->evaluate(context);
    Arguments arguments = arguments_.evaluate(context);
    arguments.named.emplace_back("caller", Value(context.make<Macro>(caller_, context.scope())));
    context.at(place());
    context.write(context.str(call(function, arguments, context)));
    return Flow::On;
  }

 private:
  ExpressionPointer function_;
  ArgumentList arguments_;
  MacroDefinition caller_;
};

class With final : public Statement {
 public:
  With(Place place, std::vector<std::pair<TargetPointer, ExpressionPointer>> values, Statements body)
      : Statement(place), values_(std::move(values)), body_(std::move(body)) {}

 protected:
  Flow run(Context& context) const override {
    std::vector<Value> evaluated;  // all values first, because none may see another variable
    for (const auto& [target, value] : values_) evaluated.push_back(value->evaluate(context));
    const Context::ScopeGuard scope(context, context.scope());
    for (size_t i = 0; i < values_.size(); ++i) values_[i].first->assign(context, evaluated[i]);
    return execute_all(body_, context);
  }

 private:
  std::vector<std::pair<TargetPointer, ExpressionPointer>> values_;
  Statements body_;
};

class FlowStatement final : public Statement {
 public:
  FlowStatement(Place place, Flow flow) : Statement(place), flow_(flow) {}

 protected:
  Flow run(Context&) const override { return flow_; }

 private:
  Flow flow_;
};

class Block final : public Statement {
 public:
  Block(Place place, Statements body) : Statement(place), body_(std::move(body)) {}

 protected:
  Flow run(Context& context) const override { return execute_all(body_, context); }

 private:
  Statements body_;
};

}  // namespace

Flow Statement::execute(Context& context) const {
  const Context::DepthGuard guard(context);
  context.meter().step();
  context.at(place_);
  return run(context);
}

Flow execute_all(const Statements& statements, Context& context) {
  for (const StatementPointer& statement : statements)
    if (const Flow flow = statement->execute(context); flow != Flow::On) return flow;
  return Flow::On;
}

TargetPointer make_name_target(std::string name) {
  return std::make_unique<NameTarget>(std::move(name));
}
TargetPointer make_attribute_target(std::string name, std::string attribute) {
  return std::make_unique<AttributeTarget>(std::move(name), std::move(attribute));
}
TargetPointer make_tuple_target(std::vector<TargetPointer> targets) {
  return std::make_unique<TupleTarget>(std::move(targets));
}
StatementPointer make_data(Place place, std::string text) {
  return std::make_unique<Data>(place, std::move(text));
}
StatementPointer make_output(Place place, ExpressionPointer value) {
  return std::make_unique<OutputStatement>(place, std::move(value));
}
StatementPointer make_if(Place place, std::vector<std::pair<ExpressionPointer, Statements>> branches,
                         Statements otherwise) {
  return std::make_unique<If>(place, std::move(branches), std::move(otherwise));
}
StatementPointer make_for(Place place, ForParts parts) {
  return std::make_unique<For>(place, std::move(parts));
}
StatementPointer make_set(Place place, TargetPointer target, ExpressionPointer value) {
  return std::make_unique<Set>(place, std::move(target), std::move(value));
}
StatementPointer make_set_block(Place place, TargetPointer target, BlockFilters filters, Statements body) {
  return std::make_unique<SetBlock>(place, std::move(target), std::move(filters), std::move(body));
}
StatementPointer make_filter_block(Place place, BlockFilters filters, Statements body) {
  return std::make_unique<FilterBlock>(place, std::move(filters), std::move(body));
}
StatementPointer make_macro(Place place, MacroDefinition definition) {
  return std::make_unique<MacroStatement>(place, std::move(definition));
}
StatementPointer make_call_block(Place place, ExpressionPointer function, ArgumentList arguments,
                                 MacroDefinition caller) {
  return std::make_unique<CallBlock>(place, std::move(function), std::move(arguments), std::move(caller));
}
StatementPointer make_with(Place place, std::vector<std::pair<TargetPointer, ExpressionPointer>> values,
                           Statements body) {
  return std::make_unique<With>(place, std::move(values), std::move(body));
}
StatementPointer make_flow(Place place, Flow flow) {
  return std::make_unique<FlowStatement>(place, flow);
}
StatementPointer make_block(Place place, Statements body) {
  return std::make_unique<Block>(place, std::move(body));
}

}  // namespace cleave::jinja
