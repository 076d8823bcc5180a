#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/overrides.h"

/// Modules of models as the planner lists them, for tests.
namespace cleave::plan::test {

using Kind = ModuleInfo::Kind;

inline void add_attention(const std::string& layer, std::vector<ModuleInfo>& modules) {
  for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"})
    modules.push_back({layer + ".self_attn." + name, Kind::Linear, 64, 64});
}

/// Two layers of Llama.
inline std::vector<ModuleInfo> llama() {
  std::vector<ModuleInfo> modules = {{"model.embed_tokens", Kind::Embedding, 131, 64}};
  for (int i = 0; i < 2; ++i) {
    const std::string layer = fmt::format("model.layers.{}", i);
    add_attention(layer, modules);
    for (const char* name : {"gate_proj", "up_proj", "down_proj"})
      modules.push_back({layer + ".mlp." + name, Kind::Linear, 64, 88});
  }
  modules.push_back({"lm_head", Kind::Linear, 64, 131});
  return modules;
}

/// Two layers with a mixture of experts: `block` holds the router `gate` and the experts.
inline std::vector<ModuleInfo> mixture_model(const std::string& block, const std::vector<std::string>& linears) {
  std::vector<ModuleInfo> modules = {{"model.embed_tokens", Kind::Embedding, 131, 64}};
  for (int i = 0; i < 2; ++i) {
    const std::string layer = fmt::format("model.layers.{}", i);
    add_attention(layer, modules);
    modules.push_back({layer + "." + block + ".gate", Kind::Linear, 64, 5});
    for (const std::string& name : linears)
      modules.push_back({layer + "." + block + ".experts.*." + name, Kind::Experts, 64, 88});
  }
  modules.push_back({"lm_head", Kind::Linear, 64, 131});
  return modules;
}

inline std::vector<ModuleInfo> mixtral() {
  return mixture_model("block_sparse_moe", {"w1", "w2", "w3"});
}
inline std::vector<ModuleInfo> qwen3_moe() {
  return mixture_model("mlp", {"gate_proj", "up_proj", "down_proj"});
}

inline const ModelNames kLlama = {"llama", {"LlamaForCausalLM"}};
inline const ModelNames kMixtral = {"mixtral", {"MixtralForCausalLM"}};
inline const ModelNames kQwen3Moe = {"qwen3_moe", {"Qwen3MoeForCausalLM"}};

/// The decisions by module name, without those that have none.
inline std::map<std::string, Treatment> by_name(const std::vector<ModuleInfo>& modules, const Resolved& resolved) {
  std::map<std::string, Treatment> decisions;
  for (size_t i = 0; i < modules.size(); ++i)
    if (resolved.by_module[i]) decisions[modules[i].name] = resolved.by_module[i]->treatment;
  return decisions;
}

/// What resolves to `treatment`, as "name name name".
inline std::string names_with(Treatment treatment, const std::vector<ModuleInfo>& modules, const Resolved& resolved) {
  std::string names;
  for (size_t i = 0; i < modules.size(); ++i)
    if (resolved.by_module[i] && resolved.by_module[i]->treatment == treatment)
      names += (names.empty() ? "" : " ") + modules[i].name;
  return names;
}

/// The message of the Error that `call` throws; "no error" where it throws none.
template <class F>
std::string error_of(F call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace cleave::plan::test
