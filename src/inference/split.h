#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ckpt/checkpoint.h"
#include "inference/options.h"
#include "plan/plan.h"

namespace cleave::inference {

/// What the planner wants to know beside the graph: plain data, without files or environment, so that it can be sent to
/// processes that have none of them.
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

/// Adds the model directory's cleave.json, and this machine's number of CPUs. Throws Error where that file cannot be
/// read.
PlanInputs plan_inputs(const ckpt::Checkpoint& checkpoint, const SplitOptions& split, const NumberOptions& numbers);

/// The type of every weight of the graph in the checkpoint, by node; `find` gives that of a tensor, or nothing.
using FindType = std::function<std::optional<DType>(const std::string& tensor)>;
std::vector<DType> stored_types(const graph::Graph& graph, const FindType& find);
/// Borrows the checkpoint.
FindType types_in(const ckpt::Checkpoint& checkpoint);

/// The planner's request for `ranks` ranks. Notes about overrides go to `notes`. Throws Error(InvalidArgument) for
/// overrides that cannot be read, or another number of rank weights than ranks.
plan::PlanOptions plan_request(const PlanInputs& inputs, const Json& config, const graph::Graph& graph,
                               const FindType& find, int ranks, std::vector<std::string>& notes);

}  // namespace cleave::inference
