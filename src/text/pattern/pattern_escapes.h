#pragma once

#include "text/pattern/pattern_rewriter.h"

namespace cleave::text {

/// Rewrites the escape sequence that begins at the next character, a backslash. `in_class`: whether it stands between
/// the brackets of a character class, where some escapes mean something else. Throws Error(Unsupported) for a negated
/// class within a class.
void rewrite_escape(PatternRewriter& pattern, bool in_class);

/// Rewrites "[:name:]" within a character class; false, and nothing done, where no such name begins here.
bool rewrite_posix_class(PatternRewriter& pattern);

}  // namespace cleave::text
