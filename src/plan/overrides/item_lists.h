#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "plan/overrides.h"

namespace cleave::plan {

/// A name under which a list of items is given, in the environment or in a configuration.
struct ItemList {
  const char* name;
  std::optional<Treatment> treatment;  // nothing: names to be dropped from the built-in overrides
  bool in_environment;
};

/// All of them. Configurations know every one that has a treatment: those of the environment were, in the proposal that
/// brought them up, keys of a file as well.
std::span<const ItemList> item_lists();
const ItemList* find_item_list(std::string_view name);

}  // namespace cleave::plan
