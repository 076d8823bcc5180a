#pragma once

#include <optional>
#include <string_view>

#include "grammar/program/code_points.h"

namespace cleave::grammar {

// Sets of characters that expressions name.

/// The set of \d, \D, \w, \W, \s or \S by its letter; nothing for another letter. Dialects differ in what lies outside
/// of ASCII (in JavaScript \d is ASCII, in Python it is not), so the sets hold what all dialects agree on.
std::optional<CodePoints> class_of_letter(char letter);

/// The set of \p{NAME}: a general category (L, Lu, Ll, M, N, Nd, P) or its long name; nothing for another name.
std::optional<CodePoints> class_of_property(std::string_view name);

/// What "." matches: all but the ends of lines.
CodePoints any_but_line_ends();

}  // namespace cleave::grammar
