#pragma once

#include <string>
#include <string_view>

namespace cleave::text {

/// Classes of characters of regular expressions, as Oniguruma defines them for UTF-8, in what PCRE2 puts between
/// brackets.

/// Unicode's White_Space, and all else.
extern const char* const kSpaceClass;
extern const char* const kNotSpaceClass;
/// Within brackets \w is letters, marks, decimal digits and connectors; elsewhere (\w, \b, \p{Word}) it has the numbers
/// of Latin-1 too ("²", "½").
extern const char* const kBracketWordClass;
extern const char* const kWordClass;
extern const char* const kHexClass;

/// Members of a POSIX class ("alpha" of [[:alpha:]] and, with `property`, of \p{Alpha}) that PCRE2 defines otherwise or
/// not at all; "" where PCRE2 means the same or the name is no such class. Case does not matter.
std::string_view posix_class(std::string_view name, bool property);

/// The name that PCRE2 wants for a property: general categories by their short names ("Letter" becomes "L"), scripts by
/// their strict sense ("Han" becomes "sc:Han"; PCRE2 would count characters shared by several scripts). Other names as
/// they are.
std::string property_name(std::string_view name);

}  // namespace cleave::text
