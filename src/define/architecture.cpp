#include "define/architecture.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace cleave::define {
namespace {

// Model types whose class for text has another name, from MODEL_FOR_CAUSAL_LM_MAPPING_NAMES of Transformers 5.24
// (models/auto/modeling_auto.py); the last two are those that Falcon was published under.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"gpt-sw3", "GPT2LMHeadModel"},
    {"hunyuan_v1_dense", "HunYuanDenseV1ForCausalLM"},
    {"hunyuan_v1_moe", "HunYuanMoEV1ForCausalLM"},
    {"internlm3", "LlamaForCausalLM"},
    {"iquestcoder", "LlamaForCausalLM"},
    {"sarvam_mla", "DeepseekV3ForCausalLM"},
    {"sarvam_moe", "Glm4MoeForCausalLM"},
    {"RefinedWeb", "FalconForCausalLM"},
    {"RefinedWebModel", "FalconForCausalLM"},
};

// What follows a family's name in the names of its classes; those for text come first.
constexpr std::array<std::string_view, 5> kEndings = {"ForCausalLM", "LMHeadModel", "ForConditionalGeneration",
                                                      "PreTrainedModel", "Model"};

std::string_view without_ending(std::string_view text, std::string_view ending) {
  return text.ends_with(ending) ? text.substr(0, text.size() - ending.size()) : text;
}

// Letters and digits alone, in lower case: "qwen2_moe" and "Qwen2Moe" are one family.
std::string family(std::string_view text) {
  std::string name;
  for (const unsigned char c : text)
    if (std::isalnum(c) != 0) name += static_cast<char>(std::tolower(c));
  return name;
}

std::string family_of_class(std::string_view name) {
  for (const std::string_view ending : kEndings)
    if (name.ends_with(ending)) return family(without_ending(name, ending));
  return family(name);
}

// The text part of a multimodal family has a type of its own.
std::string family_of_type(std::string_view type) {
  return family(without_ending(type, "_text"));
}

// A served class of the family; the one for text alone where there are several.
std::optional<std::string> class_of(const std::string& family, const std::vector<std::string>& served) {
  for (const std::string_view ending : kEndings)
    for (const std::string& name : served)
      if (name.ends_with(ending) && family_of_class(name) == family) return name;
  return std::nullopt;
}

std::optional<std::string> class_of_type(const std::string& type, const std::vector<std::string>& served) {
  const auto* const other = std::ranges::find(kOtherNames, type, [](const auto& row) { return row.first; });
  if (other == std::end(kOtherNames)) return class_of(family_of_type(type), served);
  const bool is_served = std::ranges::count(served, other->second) > 0;
  return is_served ? std::optional<std::string>(other->second) : std::nullopt;
}

std::optional<std::string> text_at(const Json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

}  // namespace

std::optional<std::string> served_architecture(const Json& config, const std::vector<std::string>& served) {
  std::optional<std::string> named;
  if (const auto list = config.find("architectures"); list != config.end() && list->is_array() && !list->empty())
    if (list->front().is_string()) named = list->front().get<std::string>();
  if (named && std::ranges::count(served, *named) > 0) return named;
  const std::optional<std::string> type = text_at(config, "model_type");
  if (!type) return std::nullopt;
  if (named && family_of_class(*named) != family_of_type(*type) && family_of_class(*named) != family(*type))
    return std::nullopt;
  return class_of_type(*type, served);
}

}  // namespace cleave::define
