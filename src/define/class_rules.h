#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "define/completion.h"

namespace cleave::define {

/// What configuration classes compute: for these model types, separated by spaces, `apply` fills in keys.
struct ClassRule {
  std::string_view classes;
  void (*apply)(Completion&);

  bool applies_to(std::string_view model_type) const {
    for (size_t begin = 0; begin < classes.size();) {
      const size_t end = std::min(classes.find(' ', begin), classes.size());
      if (classes.substr(begin, end - begin) == model_type) return true;
      begin = end + 1;
    }
    return false;
  }
};

/// Applies the rules for this model type, in their order.
inline void apply_rules(std::span<const ClassRule> rules, std::string_view model_type, Completion& c) {
  for (const ClassRule& rule : rules)
    if (rule.applies_to(model_type)) rule.apply(c);
}

}  // namespace cleave::define
