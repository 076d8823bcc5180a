#include "inference/model_message.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace cleave::inference {
namespace {

using plan::OverrideSources;

Json to_json(const OverrideSources& sources) {
  Json configs = Json::array(), environment = Json::array(), flags = Json::array();
  for (const auto& file : sources.configs) configs.push_back({file.name, file.text});
  for (const auto& variable : sources.environment) environment.push_back({variable.name, variable.value});
  for (const auto& flag : sources.flags) flags.push_back({flag.name, flag.value});
  Json json = {{"configs", configs}, {"environment", environment}, {"flags", flags}};
  if (sources.model_directory) json["own"] = {sources.model_directory->name, sources.model_directory->text};
  return json;
}

std::pair<std::string, std::string> text_pair(const Json& json) {
  return {json.at(0).get<std::string>(), json.at(1).get<std::string>()};
}

OverrideSources sources_from(const Json& json) {
  OverrideSources sources;
  for (const Json& entry : json.at("configs")) {
    auto [name, text] = text_pair(entry);
    sources.configs.push_back({std::move(name), std::move(text)});
  }
  for (const Json& entry : json.at("environment")) {
    auto [name, value] = text_pair(entry);
    sources.environment.push_back({std::move(name), std::move(value)});
  }
  for (const Json& entry : json.at("flags")) {
    auto [name, value] = text_pair(entry);
    sources.flags.push_back({std::move(name), std::move(value)});
  }
  if (json.contains("own")) {
    auto [name, text] = text_pair(json.at("own"));
    sources.model_directory = OverrideSources::File{std::move(name), std::move(text)};
  }
  return sources;
}

Json to_json(const std::optional<runtime::PackedParts>& parts) {
  if (!parts) return nullptr;
  return {{"directory", parts->directory.string()},
          {"model", parts->model},
          {"map", parts->map ? Json(*parts->map) : Json()}};
}

std::optional<runtime::PackedParts> parts_from(const Json& json) {
  if (json.is_null()) return std::nullopt;
  const Json& map = json.at("map");
  return runtime::PackedParts{json.at("directory").get<std::string>(), json.at("model").get<std::string>(),
                              map.is_null() ? std::nullopt : std::optional(map.get<bool>())};
}

Json to_json(const ModelMessage& m) {
  Json tensors = Json::array();
  for (const auto& [name, entry] : m.tensors) tensors.push_back({name, static_cast<int>(entry.dtype), entry.shape});
  return {{"path", m.path.string()},
          {"config", m.config},
          {"definition", {m.definition.file, m.definition.origin, m.definition.text, m.definition.architectures}},
          {"tensors", tensors},
          {"packed", to_json(m.packed)},
          {"save", to_json(m.save)},
          {"overrides", to_json(m.plan.overrides)},
          {"rank_weights", m.plan.rank_weights},
          {"policy", static_cast<int>(m.plan.policy)},
          {"hardware", m.plan.hardware.to_json()},
          {"threads_per_rank", m.plan.threads_per_rank},
          {"strict", m.plan.strict},
          {"exact", m.options.numerics.exact},
          {"weights", static_cast<int>(m.options.numerics.weights)},
          {"isa", m.options.numerics.isa ? static_cast<int>(*m.options.numerics.isa) : -1},
          {"fill_cache", m.options.fill_cache},
          {"kv", static_cast<int>(m.options.numerics.kv_type)},
          {"limits",
           {m.options.sizes.max_tokens, m.options.sizes.max_output_rows, m.options.sizes.kv_tokens,
            m.options.sizes.num_snapshots}}};
}

ModelMessage message_from(const Json& json) {
  ModelMessage m;
  m.path = json.at("path").get<std::string>();
  m.config = json.at("config");
  const Json& definition = json.at("definition");
  m.definition = {definition.at(0).get<std::string>(), definition.at(1).get<std::string>(),
                  definition.at(2).get<std::string>(), definition.at(3).get<std::vector<std::string>>()};
  for (const Json& entry : json.at("tensors"))
    m.tensors[entry.at(0).get<std::string>()] = {static_cast<DType>(entry.at(1).get<int>()), entry.at(2).get<Shape>()};
  m.packed = parts_from(json.at("packed"));
  m.save = parts_from(json.at("save"));
  m.plan.overrides = sources_from(json.at("overrides"));
  m.plan.rank_weights = json.at("rank_weights").get<std::vector<double>>();
  m.plan.policy = static_cast<plan::Policy>(json.at("policy").get<int>());
  m.plan.hardware = plan::Hardware::from_json(json.at("hardware"));
  m.plan.threads_per_rank = json.at("threads_per_rank").get<int>();
  m.plan.strict = json.at("strict").get<bool>();
  m.options.numerics.exact = json.at("exact").get<bool>();
  m.plan.kv_type = m.options.numerics.kv_type = static_cast<DType>(json.at("kv").get<int>());
  m.plan.weights = m.options.numerics.weights = static_cast<kernels::WeightFormat>(json.at("weights").get<int>());
  if (const int isa = json.at("isa").get<int>(); isa >= 0)
    m.options.numerics.isa = std::min(static_cast<kernels::Isa>(isa), kernels::available_isas().back());
  m.options.fill_cache = json.at("fill_cache").get<bool>();
  const auto limits = json.at("limits").get<std::vector<int64_t>>();
  m.options.sizes.max_tokens = limits.at(0);
  m.options.sizes.max_output_rows = limits.at(1);
  m.options.sizes.kv_tokens = limits.at(2);
  m.options.sizes.num_snapshots = limits.at(3);
  return m;
}

}  // namespace

std::string to_text(const ModelMessage& message) {
  return to_json(message).dump();
}

ModelMessage parse_model_message(std::string_view text) {
  try {
    return message_from(Json::parse(text));
  } catch (const Json::exception& error) {
    fail(ErrorKind::Comm,
         "rank 0 describes the model in another way than this program knows ({}); run the same version of Cleave "
         "everywhere",
         error.what());
  }
}

}  // namespace cleave::inference
