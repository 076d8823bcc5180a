#pragma once

#include <optional>
#include <vector>

#include "grammar/automaton/dfa.h"
#include "grammar/schema/decimal.h"

namespace cleave::grammar {

/// A limit of a number.
struct NumberLimit {
  Decimal value;
  bool exclusive = false;
};

/// What a schema says of a number.
struct NumberRule {
  bool integer = false;  // written without a fraction
  std::optional<NumberLimit> min, max;
  std::vector<Decimal> multiples, not_multiples;  // none of them negative or zero

  bool unconstrained() const { return !min && !max && multiples.empty() && not_multiples.empty(); }
};

/// Numbers as JSON writes them, without limits.
Expression any_number();
Expression any_integer();

/// The texts of the numbers that a rule allows, without exponents. Throws Error(Unsupported) for a multiple whose
/// digits make too large an automaton, and what `budget` throws.
Dfa number_texts(const NumberRule& rule, Budget& budget);

}  // namespace cleave::grammar
