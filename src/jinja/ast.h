#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jinja/context.h"
#include "jinja/lexer.h"
#include "jinja/value.h"

namespace cleave::jinja {

/// A part of a template that has a value. Immutable, so many renderings may use it at once.
class Expression {
 public:
  explicit Expression(Place place) : place_(place) {}
  virtual ~Expression() = default;
  /// The value in a context. Counts as one step of Limits::steps.
  Value evaluate(Context& context) const;
  Place place() const { return place_; }

 protected:
  virtual Value compute(Context& context) const = 0;

 private:
  Place place_;
};
using ExpressionPointer = std::unique_ptr<const Expression>;
using Expressions = std::vector<ExpressionPointer>;

/// The values of `expressions` in a context, from left to right.
std::vector<Value> evaluate_all(const Expressions& expressions, Context& context);

/// The arguments of a call, a filter or a test as they stand in the template.
struct ArgumentList {
  Expressions positional;
  std::vector<std::pair<std::string, ExpressionPointer>> named;
  ExpressionPointer list;  // *list; may be null
  ExpressionPointer dict;  // **dict; may be null
  /// The values of all arguments, those of *list and **dict included. Raises TypeError if dict is none.
  Arguments evaluate(Context& context) const;
};

/// What a loop or a block does after a statement: goes on, or leaves for the loop's end or next turn.
enum class Flow { On, Break, Continue };

/// A part of a template that writes text or changes variables. Immutable, so many renderings may use it at once.
class Statement {
 public:
  explicit Statement(Place place) : place_(place) {}
  virtual ~Statement() = default;
  Flow execute(Context& context) const;
  Place place() const { return place_; }

 protected:
  virtual Flow run(Context& context) const = 0;

 private:
  Place place_;
};
using StatementPointer = std::unique_ptr<const Statement>;
using Statements = std::vector<StatementPointer>;

/// Executes statements in order, up to the first that breaks or continues a loop.
Flow execute_all(const Statements& statements, Context& context);

/// The left side of an assignment: a variable, an attribute of a namespace, or a tuple of those.
class Target {
 public:
  virtual ~Target() = default;
  virtual void assign(Context& context, const Value& value) const = 0;
};
using TargetPointer = std::unique_ptr<const Target>;

/// A function written in a template, by `{% macro %}` or `{% call %}`.
struct MacroDefinition {
  std::string name;
  std::vector<std::string> parameters;
  Expressions defaults;       // values of the last parameters where a call does not give them
  bool uses_varargs = false;  // whether the body reads `varargs`, the arguments beyond its parameters
  bool uses_kwargs = false;   // whether it reads `kwargs`, the unknown names
  Statements body;
};

enum class Operation { Add, Subtract, Multiply, Divide, FloorDivide, Modulo, Power };
enum class Comparison { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, In, NotIn };

// Expressions: values and operators (expressions.cpp)
ExpressionPointer make_constant(Place place, Value value);
ExpressionPointer make_name(Place place, std::string name);
ExpressionPointer make_sequence(Place place, Sequence::Type type, Expressions items);
ExpressionPointer make_dict(Place place, std::vector<std::pair<ExpressionPointer, ExpressionPointer>> entries);
ExpressionPointer make_sign(Place place, bool negative, ExpressionPointer operand);
ExpressionPointer make_not(Place place, ExpressionPointer operand);
ExpressionPointer make_logical(Place place, bool is_and, ExpressionPointer left, ExpressionPointer right);
ExpressionPointer make_operation(Place place, Operation operation, ExpressionPointer left, ExpressionPointer right);
ExpressionPointer make_comparison(Place place, ExpressionPointer first,
                                  std::vector<std::pair<Comparison, ExpressionPointer>> rest);
ExpressionPointer make_concatenation(Place place, Expressions parts);
ExpressionPointer make_conditional(Place place, ExpressionPointer condition, ExpressionPointer yes,
                                   ExpressionPointer no);  // `no` may be null

// Expressions: what stands behind a value (postfix_expressions.cpp)
ExpressionPointer make_attribute(Place place, ExpressionPointer object, std::string name);
ExpressionPointer make_item(Place place, ExpressionPointer object, ExpressionPointer key);
/// object[start:stop:step]; each of the three may be null.
ExpressionPointer make_slice(Place place, ExpressionPointer object, ExpressionPointer start, ExpressionPointer stop,
                             ExpressionPointer step);
ExpressionPointer make_call(Place place, ExpressionPointer function, ArgumentList arguments);
ExpressionPointer make_filter(Place place, std::string name, ExpressionPointer subject, ArgumentList arguments);
ExpressionPointer make_test(Place place, std::string name, ExpressionPointer subject, ArgumentList arguments,
                            bool negated);

// Targets and statements (statements.cpp)
TargetPointer make_name_target(std::string name);
TargetPointer make_attribute_target(std::string name, std::string attribute);
TargetPointer make_tuple_target(std::vector<TargetPointer> targets);
StatementPointer make_data(Place place, std::string text);
StatementPointer make_output(Place place, ExpressionPointer value);
StatementPointer make_if(Place place, std::vector<std::pair<ExpressionPointer, Statements>> branches,
                         Statements otherwise);
/// The parts of `{% for target in items if condition recursive %}body{% else %}otherwise{% endfor %}`.
struct ForParts {
  TargetPointer target;
  ExpressionPointer items;
  ExpressionPointer condition;  // may be null
  bool recursive = false;
  Statements body;
  Statements otherwise;
};
StatementPointer make_for(Place place, ForParts parts);
StatementPointer make_set(Place place, TargetPointer target, ExpressionPointer value);
/// Filters of a block in the order of their use, each a name and its arguments.
using BlockFilters = std::vector<std::pair<std::string, ArgumentList>>;
StatementPointer make_set_block(Place place, TargetPointer target, BlockFilters filters, Statements body);
StatementPointer make_filter_block(Place place, BlockFilters filters, Statements body);
StatementPointer make_macro(Place place, MacroDefinition definition);
StatementPointer make_call_block(Place place, ExpressionPointer function, ArgumentList arguments,
                                 MacroDefinition caller);
StatementPointer make_with(Place place, std::vector<std::pair<TargetPointer, ExpressionPointer>> values,
                           Statements body);
StatementPointer make_flow(Place place, Flow flow);
StatementPointer make_block(Place place, Statements body);

}  // namespace cleave::jinja
