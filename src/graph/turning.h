#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "graph/graph.h"

namespace cleave::graph {

/// How a model turns keys by position, as far as that depends on the length of the sequence that they are computed for
/// (RopeAttributes::length_rule).
struct Turning {
  std::vector<int64_t> switches = {};                          // ascending: beyond each, otherwise than below
  int64_t dynamic_from = std::numeric_limits<int64_t>::max();  // beyond: for every length otherwise

  /// A number that two lengths share only if keys are turned alike for both.
  int64_t of(int64_t length) const;
};

Turning turning(const Graph& graph);

}  // namespace cleave::graph
