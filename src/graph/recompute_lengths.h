#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// Lengths of a sequence, ascending, beyond which the model turns all keys otherwise than below, and wants what it has
/// cached to be computed anew (RopeAttributes::recomputed). Empty for most models.
std::vector<int64_t> recompute_lengths(const Graph& graph);

/// Whether a sequence that grows from one length to another passes one of these lengths.
bool passes_any(const std::vector<int64_t>& lengths, int64_t from, int64_t to);

}  // namespace cleave::graph
