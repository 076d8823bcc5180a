#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace cleave::plan {

/// A Python literal or JSON value made of strings, lists, tuples, sets, dictionaries, None, True and False (and their
/// JSON spellings): tuples and sets become arrays. Throws Error(InvalidArgument) with the column, also for a nesting
/// deeper than 16. `where` names the text in errors.
Json parse_literal(std::string_view text, const std::string& where);

/// Throws Error(InvalidArgument): "WHERE: wanted WANTED at column N, saw ... in ...". `position` is a byte of `text`.
[[noreturn]] void fail_at(std::string_view text, size_t position, std::string_view wanted, const std::string& where);

}  // namespace cleave::plan
