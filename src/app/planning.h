#pragma once

#include <memory>

#include "app/open_model.h"
#include "plan/plan.h"

namespace cleave::app {

/// What the planner is asked for: ranks and overrides from flags, environment and files; stored types from the
/// checkpoint. Notes about overrides are printed. Throws Error and CLI::ValidationError.
plan::Request plan_request(const OpenedModel& opened, const graph::Graph& graph, const ModelFlags& flags, int ranks);

/// Rates of the machine: --hardware, or the defaults with this machine's number of cores.
plan::Hardware hardware_of(const SplitFlags& flags);

/// The type of every weight of the graph in the checkpoint, by node.
std::vector<DType> stored_types(const ckpt::Checkpoint& checkpoint, const graph::Graph& graph);

}  // namespace cleave::app
