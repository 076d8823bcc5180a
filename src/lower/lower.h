#pragma once

#include "graph/graph.h"
#include "lower/program.h"
#include "plan/plan.h"

namespace cleave::lower {

/// Turns a graph into the programs of one rank, one for each output, under a plan of that graph. Throws
/// Error(Unsupported) where an instruction cannot be formed.
RankPrograms lower(const graph::Graph& graph, const plan::Plan& plan, int rank, const Limits& limits);
/// The programs of a graph that one rank computes alone.
RankPrograms lower(const graph::Graph& graph, const Limits& limits);

/// Rows of a value in a step.
int64_t num_rows(const Value& value, int64_t tokens, int64_t output_rows);

}  // namespace cleave::lower
