#pragma once

#include <string>
#include <string_view>

#include "grammar/program/limits.h"
#include "grammar/regex/expression.h"

namespace cleave::grammar {

/// Reads a regular expression as ECMA-262 has them with the flag u (and as Python and Rust read them, too): characters,
/// classes, groups, alternatives, counted repetition, and anchors. `where` names it in errors. Throws
/// Error(InvalidArgument) with the position for what is malformed, and Error(Unsupported) for what is no regular
/// language or not done: back references, lookaround, word boundaries, inline flags.
Expression parse_regex(std::string_view pattern, const std::string& where, Budget& budget);

/// The texts that an expression matches from their first to their last character. Anchors may stand at its edges.
/// Throws Error(Unsupported) for an anchor elsewhere.
Expression whole_text(const Expression& expression, const std::string& where);

/// The texts in which an expression matches somewhere, as a schema's `pattern` has it. Throws as whole_text() does.
Expression text_around(const Expression& expression, const std::string& where);

}  // namespace cleave::grammar
