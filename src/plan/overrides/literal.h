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

/// `text` from a user for a message: on one line, bytes outside of printable ASCII as \xNN, cut after 80 bytes.
std::string on_one_line(std::string_view text);
/// The same in single quotes.
std::string in_quotes(std::string_view text);

}  // namespace cleave::plan
