#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.h"
#include "plan/overrides.h"

namespace cleave::plan {

/// A module's path, taken apart for comparison.
struct ModulePath {
  explicit ModulePath(const std::string& name);

  /// The last `count` segments with * for numbers: what all layers have in common.
  std::string folded(size_t count = std::string::npos) const;

  std::vector<std::string> segments;  // "*" stands for every expert
  std::vector<std::string> shared;    // the same without "*", as stacked experts are named
  std::string numbered;               // "*" written as 0, for regular expressions
};

/// How precisely a pattern says what it means; the greater wins.
struct Specificity {
  static constexpr int kOfRegex = -(1 << 16);  // less exact than any name

  int segments = 0;      // that it spells out
  int stars = kOfRegex;  // how many it has, negated

  auto operator<=>(const Specificity&) const = default;  // NOLINT(modernize-use-nullptr): of the generated code
};

/// The pattern of an override and its other spellings, ready to be compared with paths.
class Pattern {
 public:
  /// Throws Error(InvalidArgument) for a regular expression that cannot be compiled.
  explicit Pattern(const Override& override);

  bool matches(const ModulePath& path) const;
  Specificity specificity() const { return specificity_; }

 private:
  struct Name {
    std::vector<std::string> segments;
    bool at_end;        // must reach the end of the path
    bool numbers_only;  // * stands for a number
  };
  static bool matches(const Name& name, const std::vector<std::string>& path);
  void add(const std::string& pattern, const Override& override);

  std::vector<Name> names_;
  std::optional<Regex> regex_;
  bool tensor_suffix_ = false;  // the expression is meant for the weight's name
  Specificity specificity_;
};

}  // namespace cleave::plan
