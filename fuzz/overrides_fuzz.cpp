#include <cstdlib>
#include <string_view>

#include "fuzz_target.h"
#include "plan/overrides.h"

namespace {

using cleave::plan::ExportFormat;
using cleave::plan::ModuleInfo;
using cleave::plan::Treatment;
using Kind = ModuleInfo::Kind;

const std::vector<ModuleInfo>& modules() {
  static const std::vector<ModuleInfo> kModules = {
      {"model.embed_tokens", Kind::Embedding, 131, 64},
      {"model.layers.0.self_attn.q_proj", Kind::Linear, 64, 64},
      {"model.layers.1.self_attn.q_proj", Kind::Linear, 64, 64},
      {"model.layers.0.self_attn.o_proj", Kind::Linear, 64, 64},
      {"model.layers.1.self_attn.o_proj", Kind::Linear, 64, 64},
      {"model.layers.0.mlp.gate", Kind::Linear, 64, 5},
      {"model.layers.0.mlp.experts.*.up_proj", Kind::Experts, 64, 88},
      {"model.layers.0.mlp.experts.*.down_proj", Kind::Experts, 88, 64},
      {"lm_head", Kind::Linear, 64, 131},
  };
  return kModules;
}

// Whatever was decided is exported and reads back to the same decisions.
void export_and_read_back(const cleave::plan::Resolved& resolved, const cleave::plan::ModelNames& names) {
  std::vector<std::optional<Treatment>> decisions;
  for (const auto& decision : resolved.by_module)
    decisions.push_back(decision ? std::optional(decision->treatment) : std::nullopt);
  for (const ExportFormat format : {ExportFormat::TpPlan, ExportFormat::PartitionConfig, ExportFormat::Items}) {
    const auto exported = export_decisions(modules(), decisions, format);
    const auto parsed =
        cleave::plan::parse_config(exported.text, {cleave::plan::OriginKind::ConfigFile, "exported.json"});
    const auto again = resolve(parsed.overrides, modules(), names, true);
    for (size_t i = 0; i < decisions.size(); ++i) {
      const auto read = again.by_module[i] ? std::optional(again.by_module[i]->treatment) : std::nullopt;
      const bool about_experts = decisions[i] == Treatment::ByExpert || decisions[i] == Treatment::InsideExperts;
      if (format == ExportFormat::PartitionConfig && about_experts) continue;  // left out, as a note says
      if (read != decisions[i]) std::abort();
    }
  }
}

// The first byte says what the text is: a configuration, a variable, a flag, or names to remove from the built-in ones.
void collect_and_resolve(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::string text(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  cleave::plan::OverrideSources sources;
  switch (std::to_integer<int>(bytes[0])) {
    case 'c':
      sources.configs = {{"fuzz.json", text}};
      break;
    case 'e':
      sources.environment = {{"DS_ALL_REDUCE_LINEAR_ITEMS", text}};
      break;
    case 'r':
      sources.environment = {{"DS_REMOVED_COMMON_REDUCE_LINEAR_KEYS", text}};
      break;
    default:
      sources.flags = {{"--keep", text}};
  }
  const cleave::plan::ModelNames names = {"qwen3_moe", {"Qwen3MoeForCausalLM"}};
  const auto collected = collect_overrides(sources);
  const auto resolved = resolve(collected.overrides, modules(), names, false);
  for (const auto& decision : resolved.by_module)
    if (decision && decision->override >= collected.overrides.size()) std::abort();
  export_and_read_back(resolved, names);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return cleave::fuzz::expect_value_or_error(data, size, collect_and_resolve);
}
