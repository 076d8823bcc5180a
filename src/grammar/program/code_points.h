#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace cleave::grammar {

/// A set of Unicode code points without the surrogates, as sorted ranges that do not touch. A value.
class CodePoints {
 public:
  struct Range {
    char32_t first, last;  // both inclusive
    bool operator==(const Range&) const = default;
  };

  CodePoints() = default;
  /// The ranges in any order; they may overlap.
  explicit CodePoints(std::vector<Range> ranges);
  static CodePoints all();

  CodePoints united(const CodePoints& other) const;
  CodePoints inverted() const;
  CodePoints without(const CodePoints& other) const;

  bool contains(char32_t code) const;
  bool empty() const { return ranges_.empty(); }
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
};

}  // namespace cleave::grammar
