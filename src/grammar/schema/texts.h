#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "grammar/automaton/dfa.h"
#include "grammar/regex/expression.h"
#include "grammar/schema/alternatives.h"

namespace cleave::grammar {

/// Conditions on strings as expressions and automata over the text between a string's quotes, in the spelling of
/// Encoding::Json. Each is made once. Functions throw what parsing an expression and `budget` throw. Not thread-safe.
class Texts {
 public:
  /// `budget` must outlive it.
  explicit Texts(Budget& budget) : budget_(budget) {}

  /// The strings of a condition, whether or not it is negated. Throws Error(Unsupported) for an unknown format.
  const Expression& expression(const TextRule& rule);
  /// The same as an automaton.
  const Dfa& dfa(const TextRule& rule);
  /// All strings that a rule allows.
  Dfa strings(const StringRule& rule);
  /// All strings.
  const Dfa& all();
  bool allows(const StringRule& rule, const std::string& text);
  /// Whether no string satisfies both.
  bool disjoint(const StringRule& a, const StringRule& b);

  Budget& budget() { return budget_; }

 private:
  using Key = std::pair<TextRule::Kind, std::string>;

  Budget& budget_;
  std::map<Key, Expression> expressions_;
  std::map<Key, Dfa> dfas_;
  std::unique_ptr<const Dfa> all_;
};

/// The least and the largest number of characters of an expression's texts; kUnbounded for no limit.
std::pair<uint32_t, uint32_t> characters_of(const Expression& expression);

/// The condition that both rules make.
StringRule together(StringRule a, const StringRule& b);

}  // namespace cleave::grammar
