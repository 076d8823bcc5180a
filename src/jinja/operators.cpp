#include "jinja/operators.h"

#include <fmt/format.h>

#include <cmath>

#include "jinja/format_percent.h"
#include "jinja/markup.h"

namespace cleave::jinja {
namespace {

const char* symbol(Operation operation) {
  switch (operation) {
    case Operation::Add:
      return "+";
    case Operation::Subtract:
      return "-";
    case Operation::Multiply:
      return "*";
    case Operation::Divide:
      return "/";
    case Operation::FloorDivide:
      return "//";
    case Operation::Modulo:
      return "%";
    case Operation::Power:
      break;
  }
  return "** or pow()";
}

[[noreturn]] void fail_operands(Operation operation, const Value& a, const Value& b) {
  raise("TypeError", fmt::format("unsupported operand type(s) for {}: '{}' and '{}'", symbol(operation), type_name(a),
                                 type_name(b)));
}

int64_t checked(bool overflow, int64_t result) {
  if (overflow) raise("OverflowError", "an integer beyond 64 bits");
  return result;
}

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) raise("ZeroDivisionError", "integer division or modulo by zero");
  if (b == -1) return checked(a == INT64_MIN, a == INT64_MIN ? 0 : -a);
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t power(int64_t base, int64_t exponent) {
  if (exponent == 0 || base == 1) return 1;
  if (base == 0) return 0;
  if (base == -1) return exponent % 2 == 0 ? 1 : -1;
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) {
    const bool overflow = __builtin_mul_overflow(result, base, &result);
    checked(overflow, result);  // after 63 rounds at the latest
  }
  return result;
}

Value operate_integers(Operation operation, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  switch (operation) {
    case Operation::Add:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Operation::Subtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Operation::Multiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Operation::Divide:
      if (b == 0) raise("ZeroDivisionError", "division by zero");
      return static_cast<double>(a) / static_cast<double>(b);
    case Operation::FloorDivide:
      return floor_divide(a, b);
    case Operation::Modulo:
      if (b == -1) return int64_t{0};
      return a - floor_divide(a, b) * b;
    case Operation::Power:
      if (b < 0) return std::pow(static_cast<double>(a), static_cast<double>(b));
      return power(a, b);
  }
  return checked(overflow, result);
}

double modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value operate_floats(Operation operation, double a, double b) {
  const bool divides =
      operation == Operation::Divide || operation == Operation::FloorDivide || operation == Operation::Modulo;
  if (divides && b == 0) raise("ZeroDivisionError", "float division by zero");
  switch (operation) {
    case Operation::Add:
      return a + b;
    case Operation::Subtract:
      return a - b;
    case Operation::Multiply:
      return a * b;
    case Operation::Divide:
      return a / b;
    case Operation::FloorDivide:
      return std::floor(a / b);
    case Operation::Modulo:
      return modulo(a, b);
    case Operation::Power:
      break;
  }
  return std::pow(a, b);
}

Value add(const Value& a, const Value& b, Context& context) {
  if (a.is_text()) {
    if (!b.is_text()) raise("TypeError", fmt::format("can only concatenate str (not \"{}\") to str", type_name(b)));
    if (a.is_markup() != b.is_markup()) return add(escaped(a, context), escaped(b, context), context);
    std::string text;
    text.reserve(a.bytes().size() + b.bytes().size());
    return context.text(text.append(a.bytes()).append(b.bytes()), a.is_markup());
  }
  const bool is_tuple = a.is_sequence(Sequence::Type::Tuple);
  if (!a.is_list() && !is_tuple) fail_operands(Operation::Add, a, b);
  if (!b.is_sequence(a.as_sequence().type))
    raise("TypeError", fmt::format("can only concatenate {0} (not \"{1}\") to {0}", type_name(a), type_name(b)));
  std::vector<Value> items = a.as_sequence().items;
  items.insert(items.end(), b.as_sequence().items.begin(), b.as_sequence().items.end());
  return context.list(std::move(items), a.as_sequence().type);
}

Value repeat(const Value& value, int64_t count, Context& context) {
  const size_t times = count < 0 ? 0 : static_cast<size_t>(count);
  const size_t size = value.is_text() ? value.bytes().size() : value.as_sequence().items.size();
  const size_t limit = context.meter().limits().memory_bytes / sizeof(Value);
  if (size > 0 && times > limit / size) raise("MemoryError", "a repetition beyond the limit of memory");
  if (value.is_text()) {
    std::string text;
    text.reserve(size * times);
    for (size_t i = 0; i < (size > 0 ? times : 0); ++i) text += value.bytes();
    return context.text(std::move(text), value.is_markup());
  }
  std::vector<Value> items;
  for (size_t i = 0; i < (size > 0 ? times : 0); ++i)
    items.insert(items.end(), value.as_sequence().items.begin(), value.as_sequence().items.end());
  return context.list(std::move(items), value.as_sequence().type);
}

bool is_repeatable(const Value& value) {
  return value.is_text() || value.is_list() || value.is_sequence(Sequence::Type::Tuple);
}
bool is_whole(const Value& value) {
  return value.is_integer() || value.is_bool();
}

}  // namespace

Value operate(Operation operation, const Value& a, const Value& b, Context& context) {
  if (is_whole(a) && is_whole(b)) return operate_integers(operation, a.as_integer(), b.as_integer());
  if (a.is_number() && b.is_number()) return operate_floats(operation, a.as_double(), b.as_double());
  if (operation == Operation::Add && (a.is_text() || a.is_sequence()) && !b.is_undefined()) return add(a, b, context);
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined() && !(a.is_text() && operation == Operation::Modulo)) fail_undefined(b);
  if (operation == Operation::Multiply && is_repeatable(a) && is_whole(b)) return repeat(a, b.as_integer(), context);
  if (operation == Operation::Multiply && is_whole(a) && is_repeatable(b)) return repeat(b, a.as_integer(), context);
  if (operation == Operation::Modulo && a.is_text()) {
    const bool several = b.is_sequence(Sequence::Type::Tuple);
    return format_percent(a, several ? b.as_sequence().items : std::vector<Value>{b}, context);
  }
  fail_operands(operation, a, b);
}

Value negate(const Value& value, bool negative) {
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number())
    raise("TypeError", fmt::format("bad operand type for unary {}: '{}'", negative ? '-' : '+', type_name(value)));
  if (value.is_float()) return negative ? -value.as_double() : value.as_double();
  return negative ? operate_integers(Operation::Subtract, 0, value.as_integer()) : Value(value.as_integer());
}

bool compare(Comparison comparison, const Value& a, const Value& b, Context& context) {
  Meter& meter = context.meter();
  switch (comparison) {
    case Comparison::Equal:
      return equal(a, b, meter);
    case Comparison::NotEqual:
      return !equal(a, b, meter);
    case Comparison::Less:
      return less(a, b, meter);
    case Comparison::Greater:
      return less(b, a, meter, ">");
    case Comparison::LessEqual:
      return equal(a, b, meter) || less(a, b, meter, "<=");
    case Comparison::GreaterEqual:
      return equal(a, b, meter) || less(b, a, meter, ">=");
    case Comparison::In:
      return contains(b, a, meter);
    case Comparison::NotIn:
      break;
  }
  return !contains(b, a, meter);
}

}  // namespace cleave::jinja
