#pragma once

#include <cstdint>
#include <optional>

#include "graph/graph.h"

namespace cleave::graph {

/// The fewest rows that a table has in which this output looks up an input of the runtime: how many positions it has
/// learned, or how many tokens it knows. Nothing where it looks up none.
std::optional<int64_t> fewest_rows(const Graph& graph, const Output& output, InputKind kind);

}  // namespace cleave::graph
