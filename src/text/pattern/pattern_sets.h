#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cleave::text {

/// Rewrites the character class that begins at `at` of an expression if PCRE2 has no such class. Oniguruma's classes
/// may hold other classes ("[a-z[0-9]]"), intersections ("[a-z&&[^b]]") and negated escapes ("[\\W_]"); PCRE2's do not.
/// The result is an expression that matches one character of the class, and `at` moves behind the class. For a class
/// that PCRE2 has, the result is nothing and `at` stays.
///
/// `translate` rewrites an expression without such classes. `what` names the expression in errors. Throws
/// Error(Unsupported) for classes that are nested too deep.
std::optional<std::string> rewrite_set(std::string_view expression, size_t& at,
                                       const std::function<std::string(const std::string&)>& translate,
                                       const std::string& what);

}  // namespace cleave::text
