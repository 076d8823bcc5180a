#pragma once

#include <span>
#include <vector>

#include "text/stages/pre_tokenizer.h"

namespace cleave::text {

/// Splits a text of `size` bytes at `matches`, which are ordered and do not overlap, and appends the pieces to `parts`.
/// With `invert`, the text between the matches plays the role of the matches and the other way round.
void split_at(std::span<const Range> matches, size_t size, SplitBehavior behavior, bool invert,
              std::vector<Range>& parts);

}  // namespace cleave::text
