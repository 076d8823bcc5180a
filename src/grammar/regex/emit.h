#pragma once

#include "grammar/program/builder.h"
#include "grammar/program/encode.h"
#include "grammar/regex/expression.h"

namespace cleave::grammar {

/// How repetition becomes edges.
enum class Repetition : uint8_t {
  Called,    // a rule that is called so many times: small, whatever the limits are
  Unrolled,  // nodes and edges alone, as many as the limits say
};

/// Edges from `from` to `to` for the texts of an expression. REQUIRES: it has no anchors, and no rules where repetition
/// is unrolled.
void emit(ProgramBuilder& builder, uint32_t from, const Expression& expression, Encoding encoding,
          Repetition repetition, uint32_t to);

}  // namespace cleave::grammar
