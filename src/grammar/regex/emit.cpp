#include "grammar/regex/emit.h"

#include "base/check.h"
#include "unicode/utf8.h"

namespace cleave::grammar {
namespace {

class Emitter {
 public:
  Emitter(ProgramBuilder& builder, Encoding encoding, Repetition repetition)
      : builder_(builder), encoding_(encoding), repetition_(repetition) {}

  void emit(uint32_t from, const Expression& expression, uint32_t to) {
    builder_.budget().step();
    switch (expression.kind) {
      case Expression::Kind::Characters:
        return add_characters(builder_, from, expression.set, encoding_, to);
      case Expression::Kind::Text:
        return builder_.literal(from, encoding_ == Encoding::Json ? json_spelling(expression.text) : expression.text,
                                to);
      case Expression::Kind::Sequence:
        return sequence(from, expression, to);
      case Expression::Kind::Choice:
        for (const Expression& part : expression.parts) emit(from, part, to);
        return;
      case Expression::Kind::Repeat:
        return repeat(from, expression, to);
      case Expression::Kind::Rule:
        CHECK(repetition_ == Repetition::Called);
        return builder_.call(from, expression.rule, 1, 1, to);
      case Expression::Kind::Begin:
      case Expression::Kind::End:
        break;
    }
    CHECK(expression.kind != Expression::Kind::Begin && expression.kind != Expression::Kind::End);
  }

 private:
  void sequence(uint32_t from, const Expression& expression, uint32_t to) {
    if (expression.parts.empty()) return builder_.empty(from, to);
    for (size_t i = 0; i < expression.parts.size(); ++i) {
      const uint32_t next = i + 1 == expression.parts.size() ? to : builder_.add_node();
      emit(from, expression.parts[i], next);
      from = next;
    }
  }

  void repeat(uint32_t from, const Expression& expression, uint32_t to) {
    const Expression& part = expression.parts.front();
    // Any characters of a JSON string are called, however often, because masks know them.
    const bool any = encoding_ == Encoding::Json && part.kind == Expression::Kind::Characters &&
                     part.set.ranges() == CodePoints::all().ranges();
    const bool loop = expression.max == kUnbounded && expression.min <= 1 && !any;
    const bool option = expression.min == 0 && expression.max == 1;
    if (loop || option || repetition_ == Repetition::Unrolled) return unroll(from, expression, to);
    const uint32_t rule = builder_.add_rule("a repetition");
    // A match takes a character at least, or all counts would be possible at once.
    const bool may_be_empty = part.may_be_empty();
    emit(builder_.start(rule), may_be_empty ? part.without_empty() : part, builder_.end(rule));
    if (any) builder_.set_character(rule);
    builder_.call(from, rule, may_be_empty ? 0 : expression.min, expression.max, to);
  }

  // The part `min` times, then a loop, or up to `max - min` optional ones.
  void unroll(uint32_t from, const Expression& expression, uint32_t to) {
    const Expression& part = expression.parts.front();
    for (uint32_t i = 0; i < expression.min; ++i) {
      const uint32_t next = builder_.add_node();
      emit(from, part, next);
      from = next;
    }
    if (expression.max == kUnbounded) {
      const uint32_t loop = builder_.add_node();
      builder_.empty(from, loop);
      emit(loop, part, loop);
      return builder_.empty(loop, to);
    }
    for (uint32_t i = expression.min; i < expression.max; ++i) {
      builder_.empty(from, to);
      const uint32_t next = builder_.add_node();
      emit(from, part, next);
      from = next;
    }
    builder_.empty(from, to);
  }

  ProgramBuilder& builder_;
  Encoding encoding_;
  Repetition repetition_;
};

}  // namespace

void emit(ProgramBuilder& builder, uint32_t from, const Expression& expression, Encoding encoding,
          Repetition repetition, uint32_t to) {
  Emitter(builder, encoding, repetition).emit(from, expression, to);
}

}  // namespace cleave::grammar
