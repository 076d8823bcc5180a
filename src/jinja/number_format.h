#pragma once

#include <cstdint>
#include <string>

namespace cleave::jinja {

/// A number as Python writes it, in the parts that padding and grouping tell apart.
struct NumberText {
  std::string sign;    // "-", "+", " " or ""
  std::string prefix;  // "0x" and its like, or ""
  std::string digits;  // before the point: what is grouped and filled with zeros
  std::string rest;    // point, fraction, exponent, per cent; all of "nan" and "inf"

  size_t size() const { return sign.size() + prefix.size() + digits.size() + rest.size(); }
};

/// How the digits of an integer come in groups.
struct Grouping {
  char separator = 0;  // 0: none
  int size = 3;
};

/// An integer by a conversion of Python's: b, o, d, x or X. `alternate` writes the base before it.
NumberText integer_text(int64_t value, char conversion, bool alternate);

/// A float by a conversion of Python's: e, E, f, F, g, G, %, or 0, which is how str() writes it, or with a precision
/// what format() writes for a specification without a conversion. `precision` is -1 where none is given.
NumberText float_text(double value, char conversion, int precision, bool alternate);

/// Sets the sign that `sign` ('+', ' ' or another) asks for, where the number has none.
void add_sign(NumberText& number, char sign);

/// Puts separators between the digits, after as many zeros as make them `min_width` characters, separators included.
std::string grouped(const std::string& digits, const Grouping& grouping, int64_t min_width);

}  // namespace cleave::jinja
