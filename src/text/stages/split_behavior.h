#pragma once

#include <span>
#include <vector>

#include "text/stages/pre_tokenizer.h"

namespace cleave::text {

/// Appends to `parts` the pieces into which a text of `size` bytes falls at `matches` (ordered, not overlapping). With
/// `invert`, what lies between the matches plays their role and they are ordinary text.
void split_at(std::span<const Range> matches, size_t size, SplitBehavior behavior, bool invert,
              std::vector<Range>& parts);

}  // namespace cleave::text
