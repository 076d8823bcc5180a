#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ckpt/checkpoint.h"
#include "inference/options.h"
#include "plan/plan.h"
#include "tensor/tensor_table.h"

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

/// Adds the model directory's cleave.json, and default rates for a machine of `num_cpus` where the options have none.
/// Throws Error where that file cannot be read.
PlanInputs plan_inputs(const ckpt::Checkpoint& checkpoint, const SplitOptions& split, const NumberOptions& numbers,
                       int num_cpus);

/// The stored types of a graph's weights, by node; BF16 for other nodes, and for a weight that is not in the table.
std::vector<DType> stored_types(const graph::Graph& graph, const TensorTable& tensors);

/// A traced graph as it is planned and computed: slices of results are slices of weights, and products use sorted
/// columns where the table has any.
graph::Graph computed_graph(const graph::Graph& traced, const TensorTable& tensors);

/// The planner's request for `ranks` ranks. Notes about overrides go to `notes`. Throws Error(InvalidArgument) for
/// overrides that cannot be read, or another number of rank weights than ranks.
plan::PlanOptions plan_request(const PlanInputs& inputs, const Json& config, const graph::Graph& graph,
                               const TensorTable& tensors, int ranks, std::vector<std::string>& notes);

}  // namespace cleave::inference
