#include "app/planning.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "app/terminal.h"
#include "base/error.h"

namespace cleave::app {
namespace {

plan::OverrideSources::File read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorKind::NotFound, "cannot open {}", path.string());
  plan::OverrideSources::File read{path.filename().string(), {std::istreambuf_iterator<char>(file), {}}};
  if (file.bad()) fail(ErrorKind::Io, "cannot read {}", path.string());
  return read;
}

plan::OverrideSources override_sources(const OpenedModel& opened, const SplitFlags& flags) {
  plan::OverrideSources sources;
  const std::filesystem::path own = opened.checkpoint.directory() / "cleave.json";
  if (!opened.checkpoint.directory().empty() && std::filesystem::exists(own)) sources.model_directory = read_file(own);
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

}  // namespace

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

std::vector<DType> stored_types(const ckpt::Checkpoint& checkpoint, const graph::Graph& graph) {
  std::vector<DType> types(graph.nodes().size(), DType::BF16);
  for (size_t i = 0; i < types.size(); ++i) {
    if (graph.nodes()[i].op != graph::Op::Weight) continue;
    std::string name = graph.nodes()[i].as<graph::WeightAttributes>().name;
    if (const size_t star = name.find('*'); star != std::string::npos) name.replace(star, 1, "0");
    if (const ckpt::Tensor* tensor = checkpoint.find(name)) types[i] = tensor->view.dtype;
  }
  return types;
}

plan::Request plan_request(const OpenedModel& opened, const graph::Graph& graph, const ModelFlags& flags, int ranks) {
  plan::Request request;
  request.rank_weights = rank_weights(flags.split, ranks);
  request.policy = flags.split.policy;
  request.cost.hardware = hardware_of(flags.split);
  request.cost.threads_per_rank = flags.split.threads_per_rank.value_or(0);
  request.stored = stored_types(opened.checkpoint, graph);
  if (flags.int8_weights)  // quantised while loading, in groups that must not be cut
    for (size_t i = 0; i < request.stored.size(); ++i)
      if (is_float(request.stored[i]) && graph.nodes()[i].dims.size() > 1) request.stored[i] = DType::Q8_0;
  plan::ParsedOverrides parsed = plan::collect_overrides(override_sources(opened, flags.split));
  for (const std::string& text : parsed.notes) note("cleave: note: " + text);
  request.overrides = std::move(parsed.overrides);
  request.names = model_names(opened.checkpoint.config());
  request.strict = flags.split.strict;
  return request;
}

}  // namespace cleave::app
