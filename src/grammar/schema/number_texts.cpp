#include "grammar/schema/number_texts.h"

#include <charconv>

#include "base/error.h"

namespace cleave::grammar {
namespace {

constexpr uint64_t kMaxMultiple = 20'000;  // its remainders are states

Expression digits(char first, char last) {
  if (first > last) return Expression::choice({});
  return Expression::characters(CodePoints({{static_cast<char32_t>(first), static_cast<char32_t>(last)}}));
}
Expression any_digits(size_t min, size_t max) {
  return Expression::repeat(digits('0', '9'), static_cast<uint32_t>(min), static_cast<uint32_t>(max));
}
Expression optional(Expression part) {
  return Expression::repeat(std::move(part), 0, 1);
}
Expression text(std::string_view literal) {
  return Expression::literal(std::string(literal));
}

Expression any_whole() {
  return Expression::choice({text("0"), Expression::sequence({digits('1', '9'), any_digits(0, kUnbounded)})});
}
Expression point_and_digits() {
  return Expression::sequence({text("."), any_digits(1, kUnbounded)});
}

// Texts of numbers without a sign on one side of a limit, by what differs first: the number of digits, a digit, or
// none.
class Side {
 public:
  Side(const NumberLimit& limit, bool integer)
      : whole_(limit.value.whole), fraction_(limit.value.fraction), exclusive_(limit.exclusive), integer_(integer) {}

  Expression at_least() const {
    std::vector<Expression> all{
        Expression::sequence({digits('1', '9'), any_digits(whole_.size(), kUnbounded), any_fraction()})};
    for (size_t i = 0; i < whole_.size(); ++i) all.push_back(whole_differs(i, whole_[i] + 1, '9'));
    if (integer_) {
      if (fraction_.empty() && !exclusive_) all.push_back(text(whole_));
      return Expression::choice(std::move(all));
    }
    for (size_t i = 0; i < fraction_.size(); ++i) all.push_back(fraction_differs(i, fraction_[i] + 1, '9'));
    const Expression zeros_and_more = Expression::sequence(
        {Expression::repeat(text("0"), 0, kUnbounded), digits('1', '9'), any_digits(0, kUnbounded)});
    if (exclusive_)
      all.push_back(Expression::sequence({text(whole_ + "." + fraction_), zeros_and_more}));
    else if (fraction_.empty())
      all.push_back(Expression::sequence({text(whole_), any_fraction()}));
    else
      all.push_back(Expression::sequence({text(whole_ + "." + fraction_), any_digits(0, kUnbounded)}));
    return Expression::choice(std::move(all));
  }

  Expression at_most() const {
    std::vector<Expression> all;
    if (whole_.size() > 1) {
      all.push_back(Expression::sequence({text("0"), any_fraction()}));
      all.push_back(Expression::sequence({digits('1', '9'), any_digits(0, whole_.size() - 2), any_fraction()}));
    }
    for (size_t i = 0; i < whole_.size(); ++i)
      all.push_back(whole_differs(i, i == 0 && whole_.size() > 1 ? '1' : '0', whole_[i] - 1));
    if (!fraction_.empty() || !exclusive_) all.push_back(text(whole_));
    if (integer_) return Expression::choice(std::move(all));
    for (size_t i = 0; i < fraction_.size(); ++i) {
      all.push_back(fraction_differs(i, '0', fraction_[i] - 1));
      if (i > 0) all.push_back(text(whole_ + "." + fraction_.substr(0, i)));
    }
    const uint32_t least_zeros = fraction_.empty() ? 1 : 0;
    if (!exclusive_)
      all.push_back(Expression::sequence(
          {text(whole_ + "." + fraction_), Expression::repeat(text("0"), least_zeros, kUnbounded)}));
    return Expression::choice(std::move(all));
  }

 private:
  Expression any_fraction() const { return integer_ ? text("") : optional(point_and_digits()); }
  Expression whole_differs(size_t at, int first, int last) const {
    return Expression::sequence({text(whole_.substr(0, at)), digits(static_cast<char>(first), static_cast<char>(last)),
                                 any_digits(whole_.size() - at - 1, whole_.size() - at - 1), any_fraction()});
  }
  Expression fraction_differs(size_t at, int first, int last) const {
    return Expression::sequence({text(whole_ + "." + fraction_.substr(0, at)),
                                 digits(static_cast<char>(first), static_cast<char>(last)), any_digits(0, kUnbounded)});
  }

  std::string whole_, fraction_;
  bool exclusive_, integer_;
};

// Long division: a node per remainder before the point, and per remainder and place behind it. A number is
// divisor / 10^places.
class Multiples {
 public:
  Multiples(const Decimal& multiple, Budget& budget) : builder_(budget), places_(multiple.fraction.size()) {
    const std::string digits = multiple.whole + multiple.fraction;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), divisor_);
    if (read.ec != std::errc() || divisor_ * (places_ + 1) > kMaxMultiple)
      fail(ErrorKind::Unsupported,
           "multipleOf: {} has too many digits for an automaton; at most {} remainders are taken", digits,
           kMaxMultiple);
  }

  Dfa texts() {
    rule_ = builder_.add_rule("multiples");
    const std::vector<uint32_t> whole = add_nodes();
    add_digits(whole, whole);
    builder_.empty(builder_.start(rule_), whole[0]);
    accept(whole, places_);
    std::vector<uint32_t> behind = add_nodes();
    for (uint64_t rest = 0; rest < divisor_; ++rest) builder_.literal(whole[rest], ".", behind[rest]);
    for (size_t place = 1; place <= places_; ++place) {
      const std::vector<uint32_t> next = add_nodes();
      add_digits(behind, next);
      accept(next, places_ - place);
      behind = next;
    }
    const uint32_t zeros = builder_.add_node();
    builder_.literal(behind[0], "0", zeros);
    builder_.literal(zeros, "0", zeros);
    builder_.empty(zeros, builder_.end(rule_));
    return Dfa(builder_, rule_);
  }

 private:
  std::vector<uint32_t> add_nodes() {
    std::vector<uint32_t> nodes(divisor_);
    for (uint32_t& node : nodes) node = builder_.add_node();
    return nodes;
  }
  void add_digits(const std::vector<uint32_t>& from, const std::vector<uint32_t>& to) {
    for (uint64_t rest = 0; rest < divisor_; ++rest)
      for (uint64_t digit = 0; digit < 10; ++digit) {
        const auto byte = static_cast<uint8_t>('0' + digit);
        builder_.bytes(from[rest], byte, byte, to[(rest * 10 + digit) % divisor_]);
      }
  }
  // The number may end here where, with so many more zeros, nothing is left.
  void accept(const std::vector<uint32_t>& nodes, size_t missing) {
    for (uint64_t rest = 0; rest < divisor_; ++rest) {
      uint64_t left = rest;
      for (size_t i = 0; i < missing; ++i) left = left * 10 % divisor_;
      if (left == 0) builder_.empty(nodes[rest], builder_.end(rule_));
    }
  }

  ProgramBuilder builder_;
  size_t places_;
  uint64_t divisor_ = 0;
  uint32_t rule_ = 0;
};

class NumberTexts {
 public:
  NumberTexts(const NumberRule& rule, Budget& budget) : rule_(rule), budget_(budget) {}

  Dfa texts() {
    Dfa all = side(rule_.min, rule_.max);
    const Dfa below = side(negated(rule_.max), negated(rule_.min));
    if (below.empty()) return all;
    return all.combined(with_sign(below), Dfa::Combination::Either, budget_);
  }

 private:
  static std::optional<NumberLimit> negated(const std::optional<NumberLimit>& limit) {
    if (!limit) return std::nullopt;
    return NumberLimit{limit->value.negated(), limit->exclusive};
  }

  // Texts without a sign between limits that have one.
  Dfa side(const std::optional<NumberLimit>& min, const std::optional<NumberLimit>& max) {
    if (max && max->value.negative) return Dfa();
    Dfa all(rule_.integer ? any_whole() : Expression::sequence({any_whole(), optional(point_and_digits())}),
            Encoding::Utf8, budget_);
    if (min && !min->value.negative) restrict(all, Dfa(Side(*min, rule_.integer).at_least(), Encoding::Utf8, budget_));
    if (max) restrict(all, Dfa(Side(*max, rule_.integer).at_most(), Encoding::Utf8, budget_));
    for (const Decimal& multiple : rule_.multiples) restrict(all, Multiples(multiple, budget_).texts());
    for (const Decimal& multiple : rule_.not_multiples)
      all = all.combined(Multiples(multiple, budget_).texts(), Dfa::Combination::FirstOnly, budget_);
    return all;
  }
  void restrict(Dfa& all, const Dfa& to) { all = all.combined(to, Dfa::Combination::Both, budget_); }

  Dfa with_sign(const Dfa& texts) {
    ProgramBuilder builder(budget_);
    const uint32_t rule = builder.add_rule("negative numbers");
    const uint32_t behind = builder.add_node();
    builder.literal(builder.start(rule), "-", behind);
    texts.emit(builder, behind, builder.end(rule));
    return Dfa(builder, rule);
  }

  const NumberRule& rule_;
  Budget& budget_;
};

}  // namespace

Expression any_integer() {
  return Expression::sequence({optional(text("-")), any_whole()});
}

Expression any_number() {
  const Expression sign = Expression::characters(CodePoints({{'+', '+'}, {'-', '-'}}));
  const Expression e = Expression::characters(CodePoints({{'e', 'e'}, {'E', 'E'}}));
  return Expression::sequence({any_integer(), optional(point_and_digits()),
                               optional(Expression::sequence({e, optional(sign), any_digits(1, kUnbounded)}))});
}

Dfa number_texts(const NumberRule& rule, Budget& budget) {
  return NumberTexts(rule, budget).texts();
}

}  // namespace cleave::grammar
