#include "grammar/schema/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace cleave::grammar {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

Decimal normal(bool negative, std::string whole, std::string fraction) {
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (whole.empty()) whole.assign(1, '0');
  return {negative && (whole != "0" || !fraction.empty()), std::move(whole), std::move(fraction)};
}

// Reads [-]digits[.digits][e[+-]digits], as JSON writes numbers.
Decimal read(const std::string& text) {
  const bool negative = text.front() == '-';
  const size_t exponent_at = std::min(text.find_first_of("eE"), text.size());
  std::string digits = text.substr(negative, exponent_at - negative);
  int exponent = 0;
  if (exponent_at < text.size()) {
    const size_t sign = text[exponent_at + 1] == '+';
    std::from_chars(text.data() + exponent_at + 1 + sign, text.data() + text.size(), exponent);
  }
  const size_t point = std::min(digits.find('.'), digits.size());
  if (point < digits.size()) digits.erase(point, 1);
  const auto at = static_cast<int>(point) + exponent;
  if (at < 0) digits.insert(0, static_cast<size_t>(-at), '0');
  const auto cut = static_cast<size_t>(std::max(at, 0));
  if (cut > digits.size()) digits.append(cut - digits.size(), '0');
  return normal(negative, digits.substr(0, cut), digits.substr(cut));
}

int compare_magnitude(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  const int whole = a.whole.compare(b.whole);
  return whole != 0 ? whole : a.fraction.compare(b.fraction);
}

}  // namespace

Decimal Decimal::negated() const {
  return {!negative && !is_zero(), whole, fraction};
}

int Decimal::compare(const Decimal& other) const {
  if (negative != other.negative) return negative ? -1 : 1;
  const int magnitude = compare_magnitude(*this, other);
  return negative ? -magnitude : magnitude;
}

std::optional<Decimal> decimal_of(const OrderedJson& number, int inwards) {
  if (!number.is_number_float()) return number.is_number() ? std::optional(read(number.dump())) : std::nullopt;
  double value = number.get<double>();
  if (!std::isfinite(value)) return std::nullopt;
  if (std::abs(value) >= kExactIntegers && inwards != 0)
    value = std::nextafter(value, inwards * std::numeric_limits<double>::infinity());
  if (!std::isfinite(value)) return std::nullopt;
  return read(OrderedJson(value).dump());
}

}  // namespace cleave::grammar
