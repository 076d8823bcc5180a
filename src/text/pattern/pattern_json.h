#pragma once

#include "base/json_field.h"
#include "text/pattern/pattern.h"

namespace cleave::text {

/// Reads a pattern of a tokenizer.json: {"String": "a text"} or {"Regex": "an expression"}. Throws Error(Corrupt), and
/// Error(Unsupported) for an expression that cannot be compiled.
Pattern read_pattern(const JsonField& field);

}  // namespace cleave::text
