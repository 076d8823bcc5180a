#pragma once

#include <vector>

#include "jinja/source_cursor.h"

namespace cleave::jinja {

/// Reads the inside of a tag, from behind "{{" or "{%" up to and with its end, and appends the tokens. `variable`:
/// whether the tag ends with "}}", not with "%}". Returns the sign before the end, '-' or '+', which says how the text
/// behind the tag is trimmed; '\0' for none. Throws Error(Corrupt) for a syntax error.
char read_tag(SourceCursor& source, bool variable, std::vector<Token>& tokens);

}  // namespace cleave::jinja
