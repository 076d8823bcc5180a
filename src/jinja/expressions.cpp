#include "jinja/ast.h"
#include "jinja/operators.h"

namespace cleave::jinja {
namespace {

class Constant final : public Expression {
 public:
  Constant(Place place, Value value) : Expression(place), value_(std::move(value)) {}

 protected:
  Value compute(Context&) const override { return value_; }

 private:
  Value value_;
};

class Name final : public Expression {
 public:
  Name(Place place, std::string name) : Expression(place), name_(std::move(name)) {}

 protected:
  Value compute(Context& context) const override { return context.look_up(name_); }

 private:
  std::string name_;
};

class SequenceLiteral final : public Expression {
 public:
  SequenceLiteral(Place place, Sequence::Type type, Expressions items)
      : Expression(place), type_(type), items_(std::move(items)) {}

 protected:
  Value compute(Context& context) const override { return context.list(evaluate_all(items_, context), type_); }

 private:
  Sequence::Type type_;
  Expressions items_;
};

class DictLiteral final : public Expression {
 public:
  DictLiteral(Place place, std::vector<std::pair<ExpressionPointer, ExpressionPointer>> entries)
      : Expression(place), entries_(std::move(entries)) {}

 protected:
  Value compute(Context& context) const override {
    auto dict = std::make_shared<Dict>(&context.meter());
    for (const auto& [key, value] : entries_) {
      Value evaluated = key->evaluate(context);
      dict->set(std::move(evaluated), value->evaluate(context));
    }
    return {std::shared_ptr<const Dict>(std::move(dict))};
  }

 private:
  std::vector<std::pair<ExpressionPointer, ExpressionPointer>> entries_;
};

class Sign final : public Expression {
 public:
  Sign(Place place, bool negative, ExpressionPointer operand)
      : Expression(place), negative_(negative), operand_(std::move(operand)) {}

 protected:
  Value compute(Context& context) const override { return negate(operand_->evaluate(context), negative_); }

 private:
  bool negative_;
  ExpressionPointer operand_;
};

class Not final : public Expression {
 public:
  Not(Place place, ExpressionPointer operand) : Expression(place), operand_(std::move(operand)) {}

 protected:
  Value compute(Context& context) const override { return !truth(operand_->evaluate(context)); }

 private:
  ExpressionPointer operand_;
};

class Logical final : public Expression {
 public:
  Logical(Place place, bool is_and, ExpressionPointer left, ExpressionPointer right)
      : Expression(place), is_and_(is_and), left_(std::move(left)), right_(std::move(right)) {}

 protected:
  Value compute(Context& context) const override {
    Value left = left_->evaluate(context);
    return truth(left) == is_and_ ? right_->evaluate(context) : left;
  }

 private:
  bool is_and_;
  ExpressionPointer left_;
  ExpressionPointer right_;
};

class Operator final : public Expression {
 public:
  Operator(Place place, Operation operation, ExpressionPointer left, ExpressionPointer right)
      : Expression(place), operation_(operation), left_(std::move(left)), right_(std::move(right)) {}

 protected:
  Value compute(Context& context) const override {
    const Value left = left_->evaluate(context);
    const Value right = right_->evaluate(context);
    context.at(place());
    return operate(operation_, left, right, context);
  }

 private:
  Operation operation_;
  ExpressionPointer left_;
  ExpressionPointer right_;
};

// A chain a < b < c, in which b is evaluated once.
class ComparisonChain final : public Expression {
 public:
  ComparisonChain(Place place, ExpressionPointer first, std::vector<std::pair<Comparison, ExpressionPointer>> rest)
      : Expression(place), first_(std::move(first)), rest_(std::move(rest)) {}

 protected:
  Value compute(Context& context) const override {
    Value left = first_->evaluate(context);
    for (const auto& [comparison, expression] : rest_) {
      Value right = expression->evaluate(context);
      context.at(place());
      if (!compare(comparison, left, right, context)) return false;
      left = std::move(right);
    }
    return true;
  }

 private:
  ExpressionPointer first_;
  std::vector<std::pair<Comparison, ExpressionPointer>> rest_;
};

class Concatenation final : public Expression {
 public:
  Concatenation(Place place, Expressions parts) : Expression(place), parts_(std::move(parts)) {}

 protected:
  Value compute(Context& context) const override {
    std::string text;
    for (const ExpressionPointer& part : parts_) text += context.str(part->evaluate(context));
    return context.text(std::move(text));
  }

 private:
  Expressions parts_;
};

class Conditional final : public Expression {
 public:
  Conditional(Place place, ExpressionPointer condition, ExpressionPointer yes, ExpressionPointer no)
      : Expression(place), condition_(std::move(condition)), yes_(std::move(yes)), no_(std::move(no)) {}

 protected:
  Value compute(Context& context) const override {
    if (truth(condition_->evaluate(context))) return yes_->evaluate(context);
    if (no_ != nullptr) return no_->evaluate(context);
    return Value::undefined(
        "UndefinedError: the inline if-expression evaluated to false and no else section was defined.");
  }

 private:
  ExpressionPointer condition_;
  ExpressionPointer yes_;
  ExpressionPointer no_;  // may be null
};

}  // namespace

Value Expression::evaluate(Context& context) const {
  const Context::DepthGuard guard(context);
  context.meter().step();
  context.at(place_);
  return compute(context);
}

std::vector<Value> evaluate_all(const Expressions& expressions, Context& context) {
  std::vector<Value> values;
  values.reserve(expressions.size());
  for (const ExpressionPointer& expression : expressions) values.push_back(expression->evaluate(context));
  return values;
}

ExpressionPointer make_constant(Place place, Value value) {
  return std::make_unique<Constant>(place, std::move(value));
}
ExpressionPointer make_name(Place place, std::string name) {
  return std::make_unique<Name>(place, std::move(name));
}
ExpressionPointer make_sequence(Place place, Sequence::Type type, Expressions items) {
  return std::make_unique<SequenceLiteral>(place, type, std::move(items));
}
ExpressionPointer make_dict(Place place, std::vector<std::pair<ExpressionPointer, ExpressionPointer>> entries) {
  return std::make_unique<DictLiteral>(place, std::move(entries));
}
ExpressionPointer make_sign(Place place, bool negative, ExpressionPointer operand) {
  return std::make_unique<Sign>(place, negative, std::move(operand));
}
ExpressionPointer make_not(Place place, ExpressionPointer operand) {
  return std::make_unique<Not>(place, std::move(operand));
}
ExpressionPointer make_logical(Place place, bool is_and, ExpressionPointer left, ExpressionPointer right) {
  return std::make_unique<Logical>(place, is_and, std::move(left), std::move(right));
}
ExpressionPointer make_operation(Place place, Operation operation, ExpressionPointer left, ExpressionPointer right) {
  return std::make_unique<Operator>(place, operation, std::move(left), std::move(right));
}
ExpressionPointer make_comparison(Place place, ExpressionPointer first,
                                  std::vector<std::pair<Comparison, ExpressionPointer>> rest) {
  return std::make_unique<ComparisonChain>(place, std::move(first), std::move(rest));
}
ExpressionPointer make_concatenation(Place place, Expressions parts) {
  return std::make_unique<Concatenation>(place, std::move(parts));
}
ExpressionPointer make_conditional(Place place, ExpressionPointer condition, ExpressionPointer yes,
                                   ExpressionPointer no) {
  return std::make_unique<Conditional>(place, std::move(condition), std::move(yes), std::move(no));
}

}  // namespace cleave::jinja
