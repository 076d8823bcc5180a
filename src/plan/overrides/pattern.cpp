#include "plan/overrides/pattern.h"

#include <algorithm>

#include "base/strings.h"

namespace cleave::plan {
namespace {

constexpr std::string_view kRegex = "re:";

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Glob within one segment: every * of `pattern` takes any characters, the last one first where it fails.
bool matches_segment(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, behind_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      behind_star = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++behind_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// Segments that a regular expression spells out: pieces between \. but for those that take anything.
int spelled_segments(std::string_view expression) {
  int count = 0;
  for (;;) {
    const size_t end = expression.find("\\.");
    std::string_view piece = expression.substr(0, end);
    if (piece.starts_with('^')) piece.remove_prefix(1);
    if (piece.ends_with('$')) piece.remove_suffix(1);
    count += !piece.empty() && piece != ".*" && piece != ".+";
    if (end == std::string_view::npos) return count;
    expression.remove_prefix(end + 2);
  }
}

}  // namespace

ModulePath::ModulePath(const std::string& name) : segments(split(name, '.')) {
  for (const std::string& segment : segments) {
    if (segment != "*") shared.push_back(segment);
    if (!numbered.empty()) numbered += '.';
    numbered += segment == "*" ? "0" : segment;
  }
}

std::string ModulePath::folded(size_t count) const {
  const std::vector<std::string> parts(segments.end() - static_cast<ptrdiff_t>(std::min(count, segments.size())),
                                       segments.end());
  return stars_for_numbers(join(parts, "."));
}

Pattern::Pattern(const Override& override) {
  add(override.pattern, override);
  for (const std::string& spelling : override.spellings) add(spelling, override);
}

void Pattern::add(const std::string& pattern, const Override& override) {
  if (override.syntax == Override::Syntax::LayerSpec) {
    // DeepSpeed takes the first spec that matches, so none is more specific than another.
    regex_.emplace(pattern, Regex::Extent::Beginning, override.origin.where);
    tensor_suffix_ = true;
  } else if (override.syntax == Override::Syntax::Name && pattern.starts_with(kRegex)) {
    regex_.emplace(pattern.substr(kRegex.size()), Regex::Extent::Whole, override.origin.where);
    specificity_.segments = spelled_segments(std::string_view(pattern).substr(kRegex.size()));
  } else {
    const bool is_key = override.syntax == Override::Syntax::PlanKey;
    // What is said of a mixture holds for the linears inside.
    const bool reaches_inside =
        override.treatment == Treatment::ByExpert || override.treatment == Treatment::InsideExperts;
    names_.push_back({split(pattern, '.'), is_key && !reaches_inside, is_key});
    const auto stars = static_cast<int>(std::count(pattern.begin(), pattern.end(), '*'));
    specificity_ = std::max(specificity_, {static_cast<int>(names_.back().segments.size()), -stars});
  }
}

bool Pattern::matches(const Name& name, const std::vector<std::string>& path) {
  const auto same = [&](const std::string& pattern, const std::string& segment) {
    if (pattern == "*" && name.numbers_only) return segment == "*" || is_number(segment);
    return matches_segment(pattern, segment);
  };
  if (name.segments.size() > path.size()) return false;
  const auto last = static_cast<ptrdiff_t>(path.size() - name.segments.size());
  for (ptrdiff_t start = name.at_end ? last : 0; start <= last; ++start)
    if (std::equal(name.segments.begin(), name.segments.end(), path.begin() + start, same)) return true;
  return false;
}

bool Pattern::matches(const ModulePath& path) const {
  if (regex_) {
    if (tensor_suffix_ && regex_->matches(path.numbered + ".weight")) return true;
    return regex_->matches(path.numbered);
  }
  return std::any_of(names_.begin(), names_.end(), [&](const Name& name) {
    return matches(name, path.segments) || (path.shared.size() < path.segments.size() && matches(name, path.shared));
  });
}

}  // namespace cleave::plan
