#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "jinja/arguments.h"
#include "jinja/characters.h"
#include "jinja/filters.h"
#include "jinja/operators.h"

namespace cleave::jinja {
namespace {

// Python's float() of a text; false if it is no number.
bool parse_double(std::string_view text, double& number) {
  text = stripped(text, nullptr, Sides::Both);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Python's int() of a text in a base.
bool parse_integer(std::string_view text, int64_t base, int64_t& number) {
  text = stripped(text, nullptr, Sides::Both);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto prefix = [&](std::string_view lower, std::string_view upper, int64_t of) {
    if (base == of && (text.starts_with(lower) || text.starts_with(upper))) text.remove_prefix(2);
  };
  prefix("0x", "0X", 16);
  prefix("0o", "0O", 8);
  prefix("0b", "0B", 2);
  if (text.empty() || text[0] == '-' || base < 2 || base > 36) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, static_cast<int>(base));
  if (negative) number = -number;
  return error == std::errc() && end == text.data() + text.size();
}

bool to_integer(double number, int64_t& integer) {
  if (!(number > -9.2e18 && number < 9.2e18)) return false;
  integer = static_cast<int64_t>(number);
  return true;
}

Value int_filter(Context&, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "int", {"default", "base"});
  int64_t integer = 0;
  double number = 0;
  if (value.is_integer() || value.is_bool()) return value.as_integer();
  if (value.is_float() && to_integer(value.as_double(), integer)) return integer;
  if (value.is_float() && std::isfinite(value.as_double())) raise("OverflowError", "an integer beyond 64 bits");
  if (value.is_text()) {
    if (parse_integer(value.bytes(), bound.integer(1, 10), integer)) return integer;
    if (parse_double(value.bytes(), number) && to_integer(number, integer)) return integer;
  }
  if (value.is_undefined()) fail_undefined(value);
  return bound.find(0) != nullptr ? *bound.find(0) : Value(int64_t{0});
}

Value float_filter(Context&, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "float", {"default"});
  double number = 0;
  if (value.is_number()) return value.as_double();
  if (value.is_text() && parse_double(value.bytes(), number)) return number;
  if (value.is_undefined()) fail_undefined(value);
  return bound.find(0) != nullptr ? *bound.find(0) : Value(0.0);
}

Value abs_filter(Context&, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "abs");
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) raise("TypeError", fmt::format("bad operand type for abs(): '{}'", type_name(value)));
  if (value.is_float()) return std::abs(value.as_double());
  return value.as_integer() < 0 ? negate(value, true) : Value(value.as_integer());
}

// Python's round: to decimal digits, half to even.
double round_half_even(double number, int64_t precision) {
  if (precision > 15) return number;
  if (precision == 0) return std::nearbyint(number);
  if (precision > 0) {
    double result = number;
    const std::string text = fmt::format("{:.{}f}", number, precision);
    std::from_chars(text.data(), text.data() + text.size(), result);
    return result;
  }
  const double scale = std::pow(10.0, static_cast<double>(-precision));
  return std::nearbyint(number / scale) * scale;
}

// round() of an integer to tens, hundreds and so on, half to even.
Value round_integer(int64_t value, int64_t precision) {
  if (precision >= 0) return value;
  int64_t scale = 1;
  for (int64_t i = 0; i > precision; --i)
    if (__builtin_mul_overflow(scale, 10, &scale)) return int64_t{0};
  const int64_t rest = value % scale;
  const int64_t below = value - rest;
  const int64_t away = value < 0 ? -scale : scale;
  const int64_t half = scale / 2;
  const int64_t distance = rest < 0 ? -rest : rest;
  const bool rounds_away = distance > half || (distance == half && (below / scale) % 2 != 0);
  int64_t result = below;
  if (rounds_away && __builtin_add_overflow(below, away, &result)) raise("OverflowError", "an integer beyond 64 bits");
  return result;
}

Value round_filter(Context&, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "round", {"precision", "method"});
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) raise("TypeError", fmt::format("type {} doesn't define __round__ method", type_name(value)));
  const int64_t precision = bound.integer(0, 0);
  const std::string method = bound.text(1, "common");
  if (method == "common") {
    if (!value.is_float()) return round_integer(value.as_integer(), precision);
    return round_half_even(value.as_double(), precision);
  }
  if (method != "ceil" && method != "floor") raise("FilterArgumentError", "method must be common, ceil or floor");
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double scaled = value.as_double() * scale;
  return (method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
}

struct Entry {
  const char* name;
  FilterFunction function;
};
constexpr std::array<Entry, 4> kFilters = {
    {{"int", int_filter}, {"float", float_filter}, {"abs", abs_filter}, {"round", round_filter}}};

}  // namespace

FilterFunction find_number_filter(const std::string& name) {
  for (const Entry& entry : kFilters)
    if (name == entry.name) return entry.function;
  return nullptr;
}

}  // namespace cleave::jinja
