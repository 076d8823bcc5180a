#pragma once

#include <string>
#include <string_view>

namespace cleave::text {

// Character classes of regular expressions as Oniguruma defines them for UTF-8, written as PCRE2 wants the members of a
// class between brackets.

/// Unicode's property White_Space, and all other characters.
extern const char* const kSpaceClass;
extern const char* const kNotSpaceClass;
/// The characters of words. Within brackets \w means letters, marks, decimal digits and connectors; elsewhere (\w, \b,
/// \p{Word}) also the numbers of Latin-1 ("²", "½").
extern const char* const kBracketWordClass;
extern const char* const kWordClass;
/// Hexadecimal digits: \h.
extern const char* const kHexClass;

/// The members of a POSIX class that PCRE2 defines differently or not at all; "" for other names. The class is that of
/// [[:alpha:]] or, with `property`, of \p{Alpha}. The name may be in any case.
std::string_view posix_class(std::string_view name, bool property);

/// The name of a property for PCRE2. A general category gets its short name ("Letter" becomes "L"). A script is taken
/// in its strict sense ("Han" becomes "sc:Han"), because PCRE2 would also count characters shared by several scripts.
/// Other names stay as they are.
std::string property_name(std::string_view name);

}  // namespace cleave::text
