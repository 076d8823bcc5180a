#include "grammar/regex/expression.h"

#include <algorithm>
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

bool Expression::may_be_empty() const {
  const auto empty = [](const Expression& part) { return part.may_be_empty(); };
  if (kind == Kind::Text) return text.empty();
  if (kind == Kind::Sequence) return std::all_of(parts.begin(), parts.end(), empty);
  if (kind == Kind::Choice) return std::any_of(parts.begin(), parts.end(), empty);
  return kind == Kind::Repeat && (min == 0 || parts.front().may_be_empty());
}

Expression Expression::without_empty() const {
  if (!may_be_empty()) return *this;
  if (kind == Kind::Repeat) return repeat(parts.front().without_empty(), 1, max);
  std::vector<Expression> all;  // of a sequence: by the first part that is not empty
  for (size_t i = 0; i < parts.size(); ++i) {
    if (kind == Kind::Choice) {
      all.push_back(parts[i].without_empty());
      continue;
    }
    std::vector<Expression> rest(parts.begin() + static_cast<ptrdiff_t>(i), parts.end());
    rest.front() = rest.front().without_empty();
    all.push_back(sequence(std::move(rest)));
  }
  return choice(std::move(all));
}

Expression Expression::anything() {
  return repeat(characters(CodePoints::all()), 0, kUnbounded);
}

}  // namespace cleave::grammar
