#pragma once

#include <string_view>

#include "define/completion.h"

namespace cleave::define {

/// Fills in what the configuration class of `model_type` computes from other keys where it is absent or null: kinds of
/// layers from a pattern, an interval or a list; sizes from sizes. REQUIRES: spellings are unified and plain defaults
/// filled in. Knows classes of Transformers, whose source it follows, and three published beside their weights (MiMo's
/// and the first Falcons'); for every other model_type it reads the two common patterns. Throws Error(Corrupt) where
/// a number is none.
void fill_derived_defaults(std::string_view model_type, Completion& c);

}  // namespace cleave::define
