#include "grammar/program/code_points.h"

#include <algorithm>

namespace cleave::grammar {
namespace {

constexpr char32_t kFirstSurrogate = 0xD800, kLastSurrogate = 0xDFFF, kLast = 0x10FFFF;

}  // namespace

CodePoints::CodePoints(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> joined;
  for (const Range& range : ranges) {
    if (range.first > range.last) continue;
    if (!joined.empty() && range.first <= joined.back().last + 1)
      joined.back().last = std::max(joined.back().last, range.last);
    else
      joined.push_back(range);
  }
  for (const Range& range : joined) {
    const Range below{range.first, std::min<char32_t>(range.last, kFirstSurrogate - 1)};
    const Range above{std::max<char32_t>(range.first, kLastSurrogate + 1), std::min(range.last, kLast)};
    for (const Range& part : {below, above})
      if (part.first <= part.last) ranges_.push_back(part);
  }
}

CodePoints CodePoints::all() {
  return CodePoints({{0, kLast}});
}

CodePoints CodePoints::united(const CodePoints& other) const {
  std::vector<Range> both = ranges_;
  both.insert(both.end(), other.ranges_.begin(), other.ranges_.end());
  return CodePoints(std::move(both));
}

CodePoints CodePoints::inverted() const {
  std::vector<Range> between;
  char32_t next = 0;
  for (const Range& range : ranges_) {
    if (range.first > next) between.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLast) between.push_back({next, kLast});
  return CodePoints(std::move(between));
}

CodePoints CodePoints::without(const CodePoints& other) const {
  return inverted().united(other).inverted();
}

bool CodePoints::contains(char32_t code) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const Range& range) { return range.first <= code && code <= range.last; });
}

}  // namespace cleave::grammar
