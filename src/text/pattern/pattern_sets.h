#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cleave::text {

/// Oniguruma's character classes may hold classes ("[a-z[0-9]]"), intersections ("[a-z&&[^b]]") and negated classes
/// ("[\\W_]"); PCRE2's do not. Rewrites such a class, which begins at `at` of an expression, as an expression that
/// matches one character of it, and moves `at` behind it. Nothing, and `at` as it was, for a class that PCRE2 has too.
///
/// `translate` rewrites an expression without such classes. Throws Error(Unsupported), naming `what`, for classes
/// nested too deep.
std::optional<std::string> rewrite_set(std::string_view expression, size_t& at,
                                       const std::function<std::string(const std::string&)>& translate,
                                       const std::string& what);

}  // namespace cleave::text
