#pragma once

#include <string>

namespace cleave::text {

/// Rewrites a regular expression of Oniguruma's Ruby syntax as an expression of PCRE2 (with PCRE2_UTF, PCRE2_UCP and
/// PCRE2_MULTILINE) that matches the same. The two differ in
///   \s        PCRE2 counts U+180E
///   \w, \b    PCRE2 10.42 leaves marks out
///   \h        a hexadecimal digit in Oniguruma, a space in PCRE2
///   \uHHHH    only in Oniguruma
///   (?m)      a dot that matches newlines in Oniguruma, lines in PCRE2
///   {,n}      only in Oniguruma
///   {n,m}+    a repeated interval in Oniguruma, a possessive one in PCRE2
///   [a[b]&&c] only in Oniguruma (pattern_sets.h)
/// `what` names the expression in errors. Throws Error(Unsupported) for what cannot be rewritten.
std::string pcre_from_oniguruma(const std::string& expression, const std::string& what);

}  // namespace cleave::text
