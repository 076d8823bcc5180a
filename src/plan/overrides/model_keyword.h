#pragma once

#include <string_view>

namespace cleave::plan {

/// Whether `keyword` means the model that `name` (a model_type or an architecture) names: it is the beginning of the
/// name up to the end of a word, whatever the case, and _ and - aside. Words end at _, -, . and where capitals begin
/// one: "mixtral" is MixtralForCausalLM, "gpt_neox" is GPTNeoXForCausalLM, "Yuan" is not HunYuanForCausalLM and "phi"
/// is not Phi3ForCausalLM.
bool keyword_means_model(std::string_view keyword, std::string_view name);

/// The same but for case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace cleave::plan
