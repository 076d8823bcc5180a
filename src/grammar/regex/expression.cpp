#include "grammar/regex/expression.h"

#include <utility>

namespace cleave::grammar {

Expression Expression::characters(CodePoints set) {
  Expression made;
  made.kind = Kind::Characters;
  made.set = std::move(set);
  return made;
}

Expression Expression::literal(std::string text) {
  Expression made;
  made.kind = Kind::Text;
  made.text = std::move(text);
  return made;
}

Expression Expression::sequence(std::vector<Expression> parts) {
  Expression made;
  made.parts = std::move(parts);
  return made;
}

Expression Expression::choice(std::vector<Expression> parts) {
  Expression made;
  made.kind = Kind::Choice;
  made.parts = std::move(parts);
  return made;
}

Expression Expression::repeat(Expression part, uint32_t min, uint32_t max) {
  // Repetitions within one another allow the same text in many ways: (a*)* is a*, and (a?){2,5} is a{0,5}.
  if (part.kind == Kind::Repeat && part.min == 0 && max > 0) {
    if (part.max == kUnbounded) return part;
    if (part.max == 1) return repeat(std::move(part.parts[0]), 0, max);
  }
  Expression made;
  made.kind = Kind::Repeat;
  made.min = min;
  made.max = max;
  made.parts.push_back(std::move(part));
  return made;
}

Expression Expression::anything() {
  return repeat(characters(CodePoints::all()), 0, kUnbounded);
}

}  // namespace cleave::grammar
