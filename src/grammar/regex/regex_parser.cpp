#include "grammar/regex/regex_parser.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "grammar/regex/classes.h"
#include "grammar/regex/pattern_reader.h"
#include "unicode/utf8.h"

namespace cleave::grammar {
namespace {

constexpr uint32_t kMaxCount = 1'000'000;  // of a repetition

class Parser : private PatternReader {
 public:
  Parser(std::string_view pattern, const std::string& where, Budget& budget) : PatternReader(pattern, where, budget) {}

  Expression parse() {
    Expression all = choice();
    if (!at_end()) wrong("has a ) without its (");
    return all;
  }

 private:
  Expression choice() {
    const Budget::Level level(budget());
    std::vector<Expression> parts;
    do parts.push_back(sequence());
    while (skip("|"));
    return parts.size() == 1 ? std::move(parts.front()) : Expression::choice(std::move(parts));
  }

  Expression sequence() {
    std::vector<Expression> parts;
    while (!at_end() && !next_is("|") && !next_is(")")) {
      budget().nodes(parts.size());
      parts.push_back(repeats(atom()));
    }
    return parts.size() == 1 ? std::move(parts.front()) : Expression::sequence(std::move(parts));
  }

  Expression repeats(Expression part) {
    for (int times = 0;; ++times) {
      uint32_t min = 0, max = kUnbounded;
      if (skip("?"))
        max = 1;
      else if (skip("+"))
        min = 1;
      else if (!skip("*") && !counts(min, max))
        return part;
      if (times > 0) wrong("repeats a repetition");
      if (part.kind == Expression::Kind::Begin || part.kind == Expression::Kind::End) wrong("repeats an anchor");
      if (next_is("+")) unsupported("a possessive repetition");
      skip("?");  // what is tried first makes no difference to what matches
      part = Expression::repeat(std::move(part), min, max);
    }
  }

  std::optional<uint32_t> number() {
    if (at_end() || peek() < '0' || peek() > '9') return std::nullopt;
    uint32_t value = 0;
    for (; !at_end() && peek() >= '0' && peek() <= '9'; skip_byte()) {
      value = value * 10 + static_cast<uint32_t>(peek() - '0');
      if (value > kMaxCount) unsupported("a repetition of more than a million");
    }
    return value;
  }

  // "{2}", "{2,}" or "{2,5}". Anything else behind a brace is text, as most dialects have it.
  bool counts(uint32_t& min, uint32_t& max) {
    const size_t begin = position();
    const auto is_count = [&] {
      if (!skip("{")) return false;
      const std::optional<uint32_t> first = number();
      if (!first) return false;
      min = max = *first;
      if (skip(",")) max = number().value_or(kUnbounded);
      return skip("}");
    };
    if (!is_count()) {
      go_to(begin);
      return false;
    }
    if (max < min) wrong("has a repetition whose limits are in the wrong order");
    return true;
  }

  Expression atom() {
    budget().step();
    if (skip("(")) return group();
    if (skip("[")) return Expression::characters(bracket());
    if (skip(".")) return Expression::characters(any_but_line_ends());
    if (skip("^")) return anchor(Expression::Kind::Begin);
    if (skip("$")) return anchor(Expression::Kind::End);
    if (next_is("*") || next_is("+") || next_is("?")) wrong("repeats nothing");
    if (skip("\\")) return escape();
    return character(next());
  }

  static Expression anchor(Expression::Kind kind) {
    Expression made;
    made.kind = kind;
    return made;
  }
  static Expression character(char32_t code) {
    std::string text;
    unicode::append_utf8(text, code);
    return Expression::literal(std::move(text));
  }
  Expression group() {
    if (next_is("?=") || next_is("?!") || next_is("?<=") || next_is("?<!")) unsupported("lookaround");
    if (skip("?<") || skip("?P<")) {
      while (next() != '>') continue;
    } else if (next_is("?") && !skip("?:")) {
      unsupported("flags or another extension of a group");
    }
    Expression inner = choice();
    if (!skip(")")) wrong("has a ( without its )");
    return inner;
  }

  Expression escape() {
    if (at_end()) wrong("ends in a backslash");
    if (const std::optional<CodePoints> set = escaped_class(false)) return Expression::characters(*set);
    if (skip("A")) return anchor(Expression::Kind::Begin);
    if (skip("Z") || skip("z")) return anchor(Expression::Kind::End);
    if (next_is("b") || next_is("B")) unsupported("a word boundary");
    if (peek() >= '1' && peek() <= '9') unsupported("a back reference");
    if (next_is("k")) unsupported("a back reference");
    return character(escaped_character());
  }
};

// An alternative of an expression without its anchors, which stood at its edges.
struct Anchored {
  bool begin = false, end = false;
  std::vector<Expression> parts;
};

bool has_anchor(const Expression& expression) {
  return expression.kind == Expression::Kind::Begin || expression.kind == Expression::Kind::End ||
         std::any_of(expression.parts.begin(), expression.parts.end(), has_anchor);
}

// Takes anchors out of an expression, which becomes the alternatives that differ in theirs.
class AnchorSplitter {
 public:
  explicit AnchorSplitter(const std::string& where) : where_(where) {}

  std::vector<Anchored> split(const Expression& expression) const {
    if (!has_anchor(expression)) return {{false, false, {expression}}};
    switch (expression.kind) {
      case Expression::Kind::Begin:
        return {{true, false, {}}};
      case Expression::Kind::End:
        return {{false, true, {}}};
      case Expression::Kind::Choice:
        return split_choice(expression);
      case Expression::Kind::Sequence:
        return split_sequence(expression);
      default:
        refuse();
    }
  }

 private:
  static constexpr size_t kMaxAlternatives = 64;

  [[noreturn]] void refuse() const {
    fail(ErrorKind::Unsupported,
         "{}: a regular expression has an anchor within, which is not supported; anchors may "
         "stand at its edges",
         where_);
  }

  std::vector<Anchored> split_choice(const Expression& choice) const {
    std::vector<Anchored> all;
    for (const Expression& part : choice.parts)
      for (Anchored& split : split(part)) all.push_back(std::move(split));
    if (all.size() > kMaxAlternatives) refuse();
    return all;
  }

  // Each choice of alternatives, one of each part. What stands before ^ or behind $ cannot match anything.
  std::vector<Anchored> split_sequence(const Expression& sequence) const {
    std::vector<Anchored> all{{}};
    for (const Expression& part : sequence.parts) {
      if (!has_anchor(part)) {
        for (Anchored& left : all) append(left, part);
        continue;
      }
      std::vector<Anchored> longer;
      for (const Anchored& left : all)
        for (const Anchored& right : split(part)) longer.push_back(joined(left, right));
      if (longer.size() > kMaxAlternatives) refuse();
      all = std::move(longer);
    }
    return all;
  }

  void append(Anchored& left, const Expression& part) const {
    if (left.end) refuse();
    left.parts.push_back(part);
  }

  Anchored joined(Anchored left, const Anchored& right) const {
    if ((right.begin && !left.parts.empty()) || (left.end && !right.parts.empty())) refuse();
    left.begin |= right.begin;
    left.end |= right.end;
    left.parts.insert(left.parts.end(), right.parts.begin(), right.parts.end());
    return left;
  }

  const std::string& where_;
};

// An expression with what may stand around it where no anchor forbids it.
Expression with_surroundings(const Expression& expression, const std::string& where, bool around) {
  std::vector<Expression> alternatives;
  for (Anchored& split : AnchorSplitter(where).split(expression)) {
    std::vector<Expression> parts;
    if (around && !split.begin) parts.push_back(Expression::anything());
    for (Expression& part : split.parts) parts.push_back(std::move(part));
    if (around && !split.end) parts.push_back(Expression::anything());
    alternatives.push_back(Expression::sequence(std::move(parts)));
  }
  return Expression::choice(std::move(alternatives));
}

}  // namespace

Expression parse_regex(std::string_view pattern, const std::string& where, Budget& budget) {
  budget.text(pattern.size());
  return Parser(pattern, where, budget).parse();
}

Expression whole_text(const Expression& expression, const std::string& where) {
  return with_surroundings(expression, where, false);
}

Expression text_around(const Expression& expression, const std::string& where) {
  return with_surroundings(expression, where, true);
}

}  // namespace cleave::grammar
