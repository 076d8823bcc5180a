#include "text/stages/split_behavior.h"

namespace cleave::text {
namespace {

// Calls visit(range, is_match) for the matches and for the non-empty stretches between them, from left to right.
template <class Visit>
void for_each_stretch(std::span<const Range> matches, size_t size, bool invert, Visit&& visit) {
  size_t at = 0;
  for (const Range& match : matches) {
    if (at < match.begin) visit(Range{at, match.begin}, invert);
    visit(match, !invert);
    at = match.end;
  }
  if (at < size) visit(Range{at, size}, invert);
}

}  // namespace

void split_at(std::span<const Range> matches, size_t size, SplitBehavior behavior, bool invert,
              std::vector<Range>& parts) {
  const size_t first = parts.size();
  bool after_match = false;
  for_each_stretch(matches, size, invert, [&](Range stretch, bool is_match) {
    const bool has_previous = parts.size() > first;
    bool extend = false;  // whether the stretch joins the part before it
    switch (behavior) {
      case SplitBehavior::Removed:
        if (is_match) return;
        break;
      case SplitBehavior::Isolated:
        break;
      case SplitBehavior::Contiguous:
        extend = is_match == after_match;
        break;
      case SplitBehavior::MergedWithPrevious:
        extend = is_match && !after_match;
        break;
      // Of several matches in a row, the last one joins the text behind it.
      case SplitBehavior::MergedWithNext:
        extend = !is_match && after_match;
        break;
    }
    after_match = is_match;
    if (extend && has_previous) {
      parts.back().end = stretch.end;
    } else {
      parts.push_back(stretch);
    }
  });
}

}  // namespace cleave::text
