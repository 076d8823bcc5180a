#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace cleave {

/// JSON whose objects keep their keys in the order of the file, where that order has a meaning.
using OrderedJson = nlohmann::ordered_json;

/// As parse_json() (base/json.h).
OrderedJson parse_ordered_json(std::string_view text, const std::string& what);

}  // namespace cleave
