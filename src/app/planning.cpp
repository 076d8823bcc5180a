#include "app/planning.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "graph/head.h"

namespace cleave::app {
namespace {

plan::OverrideSources::File read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorKind::NotFound, "cannot open {}", path.string());
  plan::OverrideSources::File read{path.filename().string(), {std::istreambuf_iterator<char>(file), {}}};
  if (file.bad()) fail(ErrorKind::Io, "cannot read {}", path.string());
  return read;
}

plan::OverrideSources override_sources(const ckpt::Checkpoint& checkpoint, const SplitFlags& flags) {
  plan::OverrideSources sources;
  const std::filesystem::path own = checkpoint.directory() / "cleave.json";
  if (!checkpoint.directory().empty() && std::filesystem::exists(own)) sources.model_directory = read_file(own);
  for (const std::filesystem::path& path : flags.configs) sources.configs.push_back(read_file(path));
  for (const std::string& name : plan::environment_variables())
    if (const char* value = std::getenv(name.c_str()); value != nullptr) sources.environment.push_back({name, value});
  for (const auto& [name, value] : flags.overrides) sources.flags.push_back({name, value});
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

// Rates of the machine: --hardware, or the defaults with this machine's number of cores.
plan::Hardware hardware_of(const SplitFlags& flags) {
  if (!flags.hardware.empty()) {
    const plan::OverrideSources::File file = read_file(flags.hardware);
    return plan::Hardware::from_json(parse_json(file.text, flags.hardware.string()));
  }
  plan::Hardware hardware;
  const int cores = available_cores();
  // Two cores nearly double what one reads; more share the same memory.
  hardware.machine_flops *= static_cast<double>(cores) / hardware.cores;
  hardware.machine_read *= static_cast<double>(cores) / hardware.cores;
  hardware.cores = cores;
  return hardware;
}

}  // namespace

PlanInputs plan_inputs(const ckpt::Checkpoint& checkpoint, const ModelFlags& flags) {
  PlanInputs inputs;
  inputs.overrides = override_sources(checkpoint, flags.split);
  inputs.rank_weights = flags.split.rank_weights;
  inputs.policy = flags.split.policy;
  inputs.hardware = hardware_of(flags.split);
  inputs.threads_per_rank = flags.split.threads_per_rank.value_or(0);
  inputs.strict = flags.split.strict;
  inputs.weights = flags.weights;
  inputs.kv_type = flags.kv_type();
  return inputs;
}

std::vector<DType> stored_types(const graph::Graph& graph, const FindType& find) {
  std::vector<DType> types(graph.nodes().size(), DType::BF16);
  for (size_t i = 0; i < types.size(); ++i) {
    if (graph.nodes()[i].op != graph::Op::Weight) continue;
    std::string name = graph.nodes()[i].as<graph::WeightAttributes>().name;
    if (const size_t star = name.find('*'); star != std::string::npos) name.replace(star, 1, "0");
    types[i] = find(name).value_or(DType::BF16);
  }
  return types;
}

FindType types_in(const ckpt::Checkpoint& checkpoint) {
  return [&checkpoint](const std::string& name) -> std::optional<DType> {
    const ckpt::Tensor* tensor = checkpoint.find(name);
    return tensor == nullptr ? std::nullopt : std::optional(tensor->view.dtype);
  };
}

plan::Request plan_request(const PlanInputs& inputs, const Json& config, const graph::Graph& graph,
                           const FindType& find, int ranks, std::vector<std::string>& notes) {
  plan::Request request;
  request.rank_weights = rank_weights(inputs.rank_weights, ranks);
  request.policy = inputs.policy;
  request.cost.hardware = inputs.hardware;
  request.cost.threads_per_rank = inputs.threads_per_rank;
  request.cost.kv_type = inputs.kv_type;
  request.stored = stored_types(graph, find);
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

plan::Request plan_request(const ckpt::Checkpoint& checkpoint, const graph::Graph& graph, const ModelFlags& flags,
                           int ranks, std::vector<std::string>& notes) {
  return plan_request(plan_inputs(checkpoint, flags), checkpoint.config(), graph, types_in(checkpoint), ranks, notes);
}

}  // namespace cleave::app
