#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grammar/program/code_points.h"
#include "grammar/program/program.h"

namespace cleave::grammar {

/// A regular expression, or the right-hand side of a grammar's rule, as a tree. A value.
struct Expression {
  enum class Kind : uint8_t {
    Characters,  // one character of `set`
    Text,        // `text`, in UTF-8
    Sequence,    // `parts` one behind the other
    Choice,      // one of `parts`; none where there is none
    Repeat,      // `parts[0]`, `min` to `max` times
    Rule,        // a text of the rule `rule` of a ProgramBuilder
    Begin,
    End,  // the beginning and the end of the whole text
  };

  Kind kind = Kind::Sequence;
  CodePoints set;
  std::string text;
  std::vector<Expression> parts;
  uint32_t min = 0, max = 0;
  uint32_t rule = 0;

  static Expression characters(CodePoints set);
  static Expression literal(std::string text);
  static Expression sequence(std::vector<Expression> parts);
  static Expression choice(std::vector<Expression> parts);
  static Expression repeat(Expression part, uint32_t min, uint32_t max);
  /// Whether the empty text is one of it; no rule's is taken to be.
  bool may_be_empty() const;
  /// Its texts without the empty one.
  Expression without_empty() const;
  /// Any text, also the empty one.
  static Expression anything();
};

}  // namespace cleave::grammar
