#pragma once

#include <cstdint>
#include <optional>

#include "base/json_field.h"

namespace cleave::text {

/// The token id that a value holds, an integer from 0 to 2^31 - 2 (so that the last id + 1 is a number as well);
/// nothing where it holds something else.
std::optional<int32_t> token_id_in(const Json& json);

/// The same of a field that must hold one. Throws Error(Corrupt).
int32_t read_token_id(const JsonField& field);

}  // namespace cleave::text
