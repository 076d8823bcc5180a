#pragma once

#include <string_view>

#include "define/completion.h"

namespace cleave::define {

/// Fills in the lists with an entry for each layer that a class computes where they are absent: layer_types,
/// mlp_layer_types and their like. As fill_derived_defaults(), of which this is a part.
void fill_kinds_of_layers(std::string_view model_type, Completion& c);

}  // namespace cleave::define
