#pragma once

#include <string>

namespace cleave::text {

/// Rewrites a regular expression of Oniguruma's Ruby syntax as one of PCRE2 (with PCRE2_UTF, PCRE2_UCP and
/// PCRE2_MULTILINE) that matches the same. They differ in: \s (PCRE2 counts U+180E), \w and \b (PCRE2 10.42 leaves
/// marks out), \h (a hexadecimal digit here, a space there), \uHHHH, (?m) (a dot that matches newlines), {,n}, and
/// {n,m}+ (a repeated interval here, a possessive one there), nested and intersected character classes
/// (pattern_sets.h). `what` names the expression in errors. Throws Error(Unsupported) for what cannot be rewritten.
std::string pcre_from_oniguruma(const std::string& expression, const std::string& what);

}  // namespace cleave::text
