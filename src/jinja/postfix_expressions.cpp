// What stands behind a value: .name, [key], [start:stop:step], (arguments), |filter and `is test`.

#include <fmt/format.h>

#include "jinja/ast.h"
#include "jinja/filters.h"
#include "jinja/operators.h"
#include "jinja/predicates.h"

namespace cleave::jinja {
namespace {

class Attribute final : public Expression {
 public:
  Attribute(Place place, ExpressionPointer object, std::string name)
      : Expression(place), object_(std::move(object)), name_(std::move(name)) {}
  const Expression& object() const { return *object_; }
  const std::string& name() const { return name_; }

 protected:
  Value compute(Context& context) const override {
    const Value object = object_->evaluate(context);
    context.at(place());
    return get_attribute(object, name_, context);
  }

 private:
  ExpressionPointer object_;
  std::string name_;
};

class Item final : public Expression {
 public:
  Item(Place place, ExpressionPointer object, ExpressionPointer key)
      : Expression(place), object_(std::move(object)), key_(std::move(key)) {}

 protected:
  Value compute(Context& context) const override {
    const Value object = object_->evaluate(context);
    const Value key = key_->evaluate(context);
    context.at(place());
    return get_item(object, key, context);
  }

 private:
  ExpressionPointer object_;
  ExpressionPointer key_;
};

class Slice final : public Expression {
 public:
  Slice(Place place, ExpressionPointer object, ExpressionPointer start, ExpressionPointer stop, ExpressionPointer step)
      : Expression(place),
        object_(std::move(object)),
        start_(std::move(start)),
        stop_(std::move(stop)),
        step_(std::move(step)) {}

 protected:
  Value compute(Context& context) const override {
    const auto value = [&](const ExpressionPointer& bound) { return bound ? bound->evaluate(context) : Value(); };
    const Value object = object_->evaluate(context);
    const Value start = value(start_);
    const Value stop = value(stop_);
    const Value step = value(step_);
    context.at(place());
    return get_slice(object, start, stop, step, context);
  }

 private:
  ExpressionPointer object_;
  ExpressionPointer start_;
  ExpressionPointer stop_;
  ExpressionPointer step_;
};

class Call final : public Expression {
 public:
  Call(Place place, ExpressionPointer function, ArgumentList arguments)
      : Expression(place),
        method_(dynamic_cast<const Attribute*>(function.get())),
        function_(std::move(function)),
        arguments_(std::move(arguments)) {}

 protected:
  Value compute(Context& context) const override {
    const Value function = method_ != nullptr ? method_->object().evaluate(context) : function_->evaluate(context);
    const Arguments arguments = arguments_.evaluate(context);
    context.at(place());
    return method_ != nullptr ? call_method(function, method_->name(), arguments, context)
                              : call(function, arguments, context);
  }

 private:
  const Attribute* method_;  // where the function is an attribute
  ExpressionPointer function_;
  ArgumentList arguments_;
};

class Filter final : public Expression {
 public:
  Filter(Place place, std::string name, ExpressionPointer subject, ArgumentList arguments)
      : Expression(place), name_(std::move(name)), subject_(std::move(subject)), arguments_(std::move(arguments)) {}

 protected:
  Value compute(Context& context) const override {
    const Value subject = subject_->evaluate(context);
    const Arguments arguments = arguments_.evaluate(context);
    context.at(place());
    return apply_filter(name_, subject, arguments, context);
  }

 private:
  std::string name_;
  ExpressionPointer subject_;
  ArgumentList arguments_;
};

class Test final : public Expression {
 public:
  Test(Place place, std::string name, ExpressionPointer subject, ArgumentList arguments, bool negated)
      : Expression(place),
        name_(std::move(name)),
        subject_(std::move(subject)),
        arguments_(std::move(arguments)),
        negated_(negated) {}

 protected:
  Value compute(Context& context) const override {
    const Value subject = subject_->evaluate(context);
    const Arguments arguments = arguments_.evaluate(context);
    context.at(place());
    return apply_test(name_, subject, arguments, context) != negated_;
  }

 private:
  std::string name_;
  ExpressionPointer subject_;
  ArgumentList arguments_;
  bool negated_;
};

}  // namespace

Arguments ArgumentList::evaluate(Context& context) const {
  Arguments arguments;
  arguments.positional = evaluate_all(positional, context);
  if (list != nullptr)
    for (Value& value : iterate(list->evaluate(context), context.meter()))
      arguments.positional.push_back(std::move(value));
  for (const auto& [name, expression] : named) arguments.named.emplace_back(name, expression->evaluate(context));
  if (dict != nullptr) {
    const Value values = dict->evaluate(context);
    if (!values.is_dict())
      raise("TypeError", fmt::format("argument after ** must be a mapping, not {}", type_name(values)));
    for (const auto& [key, value] : values.as_dict().entries()) {
      if (!key.is_text()) raise("TypeError", "keywords must be strings");
      arguments.named.emplace_back(key.bytes(), value);
    }
  }
  return arguments;
}

ExpressionPointer make_attribute(Place place, ExpressionPointer object, std::string name) {
  return std::make_unique<Attribute>(place, std::move(object), std::move(name));
}
ExpressionPointer make_item(Place place, ExpressionPointer object, ExpressionPointer key) {
  return std::make_unique<Item>(place, std::move(object), std::move(key));
}
ExpressionPointer make_slice(Place place, ExpressionPointer object, ExpressionPointer start, ExpressionPointer stop,
                             ExpressionPointer step) {
  return std::make_unique<Slice>(place, std::move(object), std::move(start), std::move(stop), std::move(step));
}
ExpressionPointer make_call(Place place, ExpressionPointer function, ArgumentList arguments) {
  return std::make_unique<Call>(place, std::move(function), std::move(arguments));
}
ExpressionPointer make_filter(Place place, std::string name, ExpressionPointer subject, ArgumentList arguments) {
  return std::make_unique<Filter>(place, std::move(name), std::move(subject), std::move(arguments));
}
ExpressionPointer make_test(Place place, std::string name, ExpressionPointer subject, ArgumentList arguments,
                            bool negated) {
  return std::make_unique<Test>(place, std::move(name), std::move(subject), std::move(arguments), negated);
}

}  // namespace cleave::jinja
