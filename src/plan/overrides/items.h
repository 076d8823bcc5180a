#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "plan/overrides.h"

namespace cleave::plan {

/// More entries than any configuration has that people write; bounds the work of matching.
inline constexpr size_t kMaxOverrides = 4096;

/// Longer texts are not compared with known names for a "did you mean": the work grows with the length.
inline constexpr size_t kMaxComparedBytes = 64;

/// Names to be treated alike: a string (as parse_items() reads it), an array of names, or an object whose values are
/// the models that a name is about. Arrays may nest.
std::vector<Override> items_from_json(const Json& json, Treatment treatment, const Origin& origin);

/// Models of a comma list or an array of names; none for null, true and "".
std::vector<std::string> models_from_json(const Json& json, const std::string& where);

/// Throws Error(InvalidArgument) unless `name` can be a pattern: not empty, no blank, no empty segment, no comma, or
/// "re:" and more. Returns it without a leading dot and without the ".weight" of a tensor's name.
std::string checked_name(std::string_view name, const std::string& where);

}  // namespace cleave::plan
