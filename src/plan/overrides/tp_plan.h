#pragma once

#include "plan/overrides/config_field.h"

namespace cleave::plan {

/// Transformers' tp_plan: an object of module names and styles. `optional`: it was written for a class of models
/// (base_model_tp_plan), so names that this one lacks are no mistake. Throws Error(InvalidArgument) for a style that
/// Transformers does not have.
void read_tp_plan(const ConfigField& plan, bool optional, ParsedOverrides& out);

/// Whether an object looks like a tp_plan by itself: not empty, and every value is a style.
bool is_tp_plan(const Json& json);

}  // namespace cleave::plan
