#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace cleave {

using Json = nlohmann::json;

/// Parses JSON from an untrusted source. `what` names it in errors ("model/config.json"). Accepts the bare Infinity,
/// -Infinity and NaN that Python's json module writes. Throws Error(Corrupt) with the byte position, also for nesting
/// deeper than 256.
Json parse_json(std::string_view text, const std::string& what);

}  // namespace cleave
