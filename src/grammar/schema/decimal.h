#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ordered_json.h"

namespace cleave::grammar {

/// A decimal number by its digits, so that limits of numbers are exact. A value.
struct Decimal {
  bool negative = false;  // never for zero
  std::string whole;      // without leading zeros; "0" for none
  std::string fraction;   // without trailing zeros; may be empty

  bool is_zero() const { return whole == "0" && fraction.empty(); }
  Decimal negated() const;
  /// Less than, equal to or greater than another: below, at or above 0.
  int compare(const Decimal& other) const;
};

/// A JSON number. One of more digits than a double holds, which the parser has rounded, is moved by one place towards
/// `inwards` (-1 down, 1 up, 0 not at all), so that a limit never lets too much pass. Nothing for what is no finite
/// number.
std::optional<Decimal> decimal_of(const OrderedJson& number, int inwards = 0);

}  // namespace cleave::grammar
