#include "jinja/number_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "jinja/value.h"

namespace cleave::jinja {
namespace {

constexpr int kDefaultPrecision = 6;

NumberText split_digits(const std::string& text, bool negative) {
  const auto end = std::find_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; });
  return {negative ? "-" : "", "", {text.begin(), end}, {end, text.end()}};
}

// A mantissa without the zeros that end its fraction, nor a point that ends it.
std::string without_final_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.resize(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// A mantissa with its point, which "#" asks for.
std::string with_point(const std::string& mantissa) {
  return mantissa.find('.') == std::string::npos ? mantissa + "." : mantissa;
}

// The conversion g, with so many digits. `is_plain`: as format() writes a float without a conversion, where 3.0 is seen
// to be a float, and 100 in three digits is 1e+02.
std::string general_float(double magnitude, int precision, bool alternate, bool is_plain) {
  const int digits = std::max(precision, 1);
  const std::string scientific = fmt::format("{:.{}e}", magnitude, digits - 1);
  const size_t e = scientific.find('e');
  const int exponent = std::stoi(scientific.substr(e + 1));
  if (exponent < -4 || exponent >= (is_plain ? digits - 1 : digits)) {
    const std::string mantissa = scientific.substr(0, e);
    return (alternate ? with_point(mantissa) : without_final_zeros(mantissa)) + scientific.substr(e);
  }
  const std::string fixed = fmt::format("{:.{}f}", magnitude, digits - 1 - exponent);
  if (alternate) return with_point(fixed);
  const std::string kept = without_final_zeros(fixed);
  return is_plain && kept.find('.') == std::string::npos ? kept + ".0" : kept;
}

// repr(), and with "#" a point in a mantissa that has none.
std::string shortest_float(double magnitude, bool alternate) {
  const std::string text = repr_float(magnitude);
  const size_t e = text.find('e');
  return alternate && e != std::string::npos ? with_point(text.substr(0, e)) + text.substr(e) : text;
}

std::string by_conversion(double magnitude, char conversion, int precision, bool alternate) {
  switch (std::tolower(conversion)) {
    case 'e': {
      const std::string text = fmt::format("{:.{}e}", magnitude, precision);
      const size_t e = text.find('e');
      return alternate ? with_point(text.substr(0, e)) + text.substr(e) : text;
    }
    case 'g':
      return general_float(magnitude, precision, alternate, false);
    default: {
      const std::string text = fmt::format("{:.{}f}", magnitude, precision);
      return alternate ? with_point(text) : text;
    }
  }
}

}  // namespace

NumberText integer_text(int64_t value, char conversion, bool alternate) {
  const uint64_t magnitude = value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  NumberText number{value < 0 ? "-" : "", "", "", ""};
  switch (conversion) {
    case 'b':
      number.digits = fmt::format("{:b}", magnitude);
      break;
    case 'o':
      number.digits = fmt::format("{:o}", magnitude);
      break;
    case 'x':
      number.digits = fmt::format("{:x}", magnitude);
      break;
    case 'X':
      number.digits = fmt::format("{:X}", magnitude);
      break;
    default:
      number.digits = std::to_string(magnitude);
      return number;
  }
  if (alternate) number.prefix = std::string("0") + conversion;
  return number;
}

NumberText float_text(double value, char conversion, int precision, bool alternate) {
  const bool negative = std::signbit(value) && !std::isnan(value);
  const double magnitude = std::abs(value);
  if (!std::isfinite(value)) {
    std::string name = std::isnan(value) ? "nan" : "inf";
    if (std::isupper(conversion) != 0) std::ranges::transform(name, name.begin(), ::toupper);
    return {negative ? "-" : "", "", "", conversion == '%' ? name + "%" : name};
  }
  std::string text;
  if (conversion == 0) {
    text = precision < 0 ? shortest_float(magnitude, alternate) : general_float(magnitude, precision, alternate, true);
  } else {
    text = by_conversion(conversion == '%' ? magnitude * 100 : magnitude, conversion,
                         precision < 0 ? kDefaultPrecision : precision, alternate);
    if (std::isupper(conversion) != 0) std::ranges::transform(text, text.begin(), ::toupper);
    if (conversion == '%') text += "%";
  }
  return split_digits(text, negative);
}

void add_sign(NumberText& number, char sign) {
  if (number.sign.empty() && (sign == '+' || sign == ' ')) number.sign = sign;
}

// From the right, a group at a time, as CPython does it: zeros may need a separator more than there is width left.
std::string grouped(const std::string& digits, const Grouping& grouping, int64_t min_width) {
  if (digits.empty()) return digits;
  const int64_t size = grouping.separator == 0 ? INT64_MAX : grouping.size;
  std::string reversed;
  auto left = static_cast<int64_t>(digits.size());
  for (;;) {
    const int64_t length = std::min(size, std::max({left, min_width, int64_t{1}}));
    const int64_t taken = std::clamp(left, int64_t{0}, length);
    for (int64_t i = 0; i < taken; ++i) reversed.push_back(digits[static_cast<size_t>(--left)]);
    reversed.append(static_cast<size_t>(length - taken), '0');
    min_width -= length;
    if (left <= 0 && min_width <= 0) break;
    reversed.push_back(grouping.separator);
    --min_width;
  }
  std::ranges::reverse(reversed);
  return reversed;
}

}  // namespace cleave::jinja
