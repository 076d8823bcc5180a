#include "inference/split.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "graph/head.h"
#include "graph/stored_name.h"
#include "inference/option_files.h"

namespace cleave::inference {
namespace {

// The user's sources and the model directory's own file.
plan::OverrideSources override_sources(const ckpt::Checkpoint& checkpoint, plan::OverrideSources sources) {
  const std::filesystem::path own = checkpoint.directory() / "cleave.json";
  if (!checkpoint.directory().empty() && is_there(own)) sources.model_directory = read_override_file(own);
  return sources;
}

plan::ModelNames model_names(const Json& config) {
  plan::ModelNames names;
  if (const auto type = config.find("model_type"); type != config.end() && type->is_string())
    names.model_type = type->get<std::string>();
  if (const auto list = config.find("architectures"); list != config.end() && list->is_array())
    for (const Json& entry : *list)
      if (entry.is_string()) names.architectures.push_back(entry.get<std::string>());
  return names;
}

// The default rates, for a machine with this many cores.
plan::Hardware default_hardware(int cores) {
  plan::Hardware hardware;
  // Two cores nearly double what one reads; more share the same memory.
  hardware.machine_flops *= static_cast<double>(cores) / hardware.cores;
  hardware.machine_read *= static_cast<double>(cores) / hardware.cores;
  hardware.cores = cores;
  return hardware;
}

std::vector<double> rank_weights(const std::vector<double>& given, int ranks) {
  if (given.empty()) return std::vector<double>(static_cast<size_t>(ranks), 1.0);
  if (given.size() != static_cast<size_t>(ranks))
    fail(ErrorKind::InvalidArgument, "{} rank weights for {} ranks, wanted one for each", given.size(), ranks);
  return given;
}

}  // namespace

PlanInputs plan_inputs(const ckpt::Checkpoint& checkpoint, const SplitOptions& split, const NumberOptions& numbers,
                       int num_cpus) {
  return {.overrides = override_sources(checkpoint, split.overrides),
          .rank_weights = split.rank_weights,
          .policy = split.policy,
          .hardware = split.hardware ? *split.hardware : default_hardware(num_cpus),
          .threads_per_rank = split.threads_per_rank,
          .strict = split.strict,
          .weights = numbers.weights,
          .kv_type = numbers.kv_type()};
}

std::vector<DType> stored_types(const graph::Graph& graph, const TensorTable& tensors) {
  std::vector<DType> types(graph.nodes().size(), DType::BF16);
  for (size_t i = 0; i < types.size(); ++i) {
    if (graph.nodes()[i].op != graph::Op::Weight) continue;
    // Experts may be stored in different types: the largest blocks tell where a split would cut one.
    int64_t largest = 0;
    for (const std::string& name : graph::stored_names(graph.nodes()[i].as<graph::WeightAttributes>())) {
      const auto found = tensors.find(name);
      if (found == tensors.end() || info(found->second.dtype).block_elements <= largest) continue;
      types[i] = found->second.dtype;
      largest = info(types[i]).block_elements;
    }
  }
  return types;
}

graph::Graph computed_graph(const graph::Graph& traced, const TensorTable& tensors) {
  const bool sorted =
      std::ranges::any_of(tensors, [](const auto& entry) { return entry.first.ends_with(kColumnOrder); });
  if (!sorted) return graph::push_slices_into_weights(traced);
  const auto is_stored = [&](const std::string& name) { return tensors.contains(name); };
  return graph::push_slices_into_weights(graph::sort_columns(traced, is_stored));
}

plan::PlanOptions plan_request(const PlanInputs& inputs, const Json& config, const graph::Graph& graph,
                               const TensorTable& tensors, int ranks, std::vector<std::string>& notes) {
  plan::PlanOptions request;
  request.rank_weights = rank_weights(inputs.rank_weights, ranks);
  request.policy = inputs.policy;
  request.cost.hardware = inputs.hardware;
  request.cost.threads_per_rank = inputs.threads_per_rank;
  request.cost.kv_type = inputs.kv_type;
  request.stored = stored_types(graph, tensors);
  if (inputs.weights != kernels::WeightFormat::AsStored) {  // quantised while loading, in groups that must not be cut
    const graph::NodeId head = graph::find_head(graph);
    for (size_t i = 0; i < request.stored.size(); ++i)
      if (is_float(request.stored[i]) && graph.nodes()[i].dims.size() > 1) {
        const bool int8 = inputs.weights == kernels::WeightFormat::Int8 || static_cast<graph::NodeId>(i) == head;
        request.stored[i] = int8 ? DType::Q8_0 : DType::Q4_1;
      }
  }
  plan::ParsedOverrides parsed = plan::collect_overrides(inputs.overrides);
  notes = std::move(parsed.notes);
  request.overrides = std::move(parsed.overrides);
  request.names = model_names(config);
  request.strict = inputs.strict;
  return request;
}

}  // namespace cleave::inference
