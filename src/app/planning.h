#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/flags.h"
#include "ckpt/checkpoint.h"
#include "plan/plan.h"

namespace cleave::app {

/// What the planner wants to know beside the graph, from flags, environment and files: plain data, so that it can be
/// sent to processes that have none of them.
struct PlanInputs {
  plan::OverrideSources overrides;
  std::vector<double> rank_weights;  // empty: equal
  plan::Policy policy = plan::Policy::Auto;
  plan::Hardware hardware;
  int threads_per_rank = 0;
  bool strict = false;
  kernels::WeightFormat weights = kernels::WeightFormat::AsStored;
  DType kv_type = DType::F16;
};

/// Reads files and environment. Throws Error.
PlanInputs plan_inputs(const ckpt::Checkpoint& checkpoint, const ModelFlags& flags);

/// The type of every weight of the graph in the checkpoint, by node; `find` gives that of a tensor, or nothing.
using FindType = std::function<std::optional<DType>(const std::string& tensor)>;
std::vector<DType> stored_types(const graph::Graph& graph, const FindType& find);
/// Borrows the checkpoint.
FindType types_in(const ckpt::Checkpoint& checkpoint);

/// The request for `ranks` ranks. Notes about overrides go to `notes`. Throws Error and CLI::ValidationError.
plan::Request plan_request(const PlanInputs& inputs, const Json& config, const graph::Graph& graph,
                           const FindType& find, int ranks, std::vector<std::string>& notes);

/// All of it for a model whose headers this process has.
plan::Request plan_request(const ckpt::Checkpoint& checkpoint, const graph::Graph& graph, const ModelFlags& flags,
                           int ranks, std::vector<std::string>& notes);

}  // namespace cleave::app
