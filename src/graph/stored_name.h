#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/op.h"

namespace cleave::graph {

/// The name of the stored tensor that row `i` of a weight comes from: its own name, with `i` in place of the * where
/// several tensors are stacked. Throws Error(InvalidArgument) for stacked tensors whose name has no *.
std::string stored_name(const WeightAttributes& weight, int64_t i);

/// The names of all stored tensors of a weight, one or as many as are stacked.
std::vector<std::string> stored_names(const WeightAttributes& weight);

}  // namespace cleave::graph
