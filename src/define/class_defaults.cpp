#include "define/class_defaults.h"

#include <array>
#include <string>

#include "define/class_rules.h"

namespace cleave::define {
namespace {

struct Alias {
  const char* name;
  std::array<const char*, 6> old_names;  // ends at the first null
};
constexpr std::array kAliases = {
    Alias{"hidden_size", {"n_embd", "n_embed", "d_model", "dim"}},
    Alias{"num_hidden_layers", {"n_layer", "n_layers", "num_layers"}},
    Alias{"num_attention_heads", {"n_head", "n_heads", "num_heads", "attention_heads"}},
    Alias{"num_key_value_heads", {"num_kv_heads", "multi_query_group_num"}},
    Alias{"intermediate_size", {"n_inner", "ffn_dim", "ffn_hidden_size", "d_inner"}},
    Alias{"max_position_embeddings", {"n_positions", "max_seq_len", "seq_length", "n_ctx"}},
    Alias{"head_dim", {"attention_head_dim", "kv_channels"}},
    Alias{"vocab_size", {"padded_vocab_size"}},
    Alias{"num_experts", {"num_local_experts"}},
    Alias{"hidden_act", {"activation_function"}},
    Alias{"rms_norm_eps", {"layernorm_epsilon"}},
    Alias{"layer_norm_eps", {"layer_norm_epsilon"}},
};

template <size_t count>
void replace_all(Completion& c, const char* const (&names)[count][2]) {
  for (const auto& [old_name, name] : names)
    if (c.has(old_name)) c.force(name, Json(c.config()[old_name]));
}

void nemotron_h(Completion& c) {
  constexpr const char* kNames[][2] = {{"mamba_n_groups", "n_groups"},
                                       {"mamba_d_conv", "conv_kernel"},
                                       {"mamba_conv_bias", "use_conv_bias"},
                                       {"mamba_dt_limit", "time_step_limit"}};
  replace_all(c, kNames);
}

void lfm2(Completion& c) {
  constexpr const char* kNames[][2] = {{"block_ff_dim", "intermediate_size"}, {"tie_embedding", "tie_word_embeddings"}};
  replace_all(c, kNames);
}

void lfm2_moe(Completion& c) {
  constexpr const char* kNames[][2] = {{"tie_embedding", "tie_word_embeddings"}};
  replace_all(c, kNames);
}

// Old names that count before the new ones, where a class reads them, or wrote them.
constexpr ClassRule kOldNames[] = {
    {"nemotron_h", nemotron_h},
    {"lfm2", lfm2},
    {"lfm2_moe", lfm2_moe},
    {"recurrent_gemma", [](Completion& c) { c.copy("_block_types", "block_types"); }},
    {"bloom falcon", [](Completion& c) { c.copy("n_embed", "hidden_size"); }},
    {"mimo_v2_flash", [](Completion& c) { c.copy("layernorm_epsilon", "rms_norm_eps"); }},
};

bool is_filled_elsewhere(std::string_view key) {
  return key == "rope_parameters" || key == "tie_word_embeddings";
}

// Nested objects of a configuration's own class (attn_config of DBRX) get the keys that they lack.
void fill_object(Json& object, const Json& defaults) {
  for (const auto& [key, value] : defaults.items()) {
    if (!object.contains(key))
      object[key] = value;
    else if (value.is_object() && object[key].is_object())
      fill_object(object[key], value);
  }
}

}  // namespace

void unify_names(const ConfigClass* of_class, std::string_view model_type, Completion& c) {
  apply_rules(kOldNames, model_type, c);
  if (of_class == nullptr || of_class->names == nullptr) return;
  for (const auto& [name, own] : of_class->names->items()) {
    c.copy(own.get_ref<const std::string&>(), name);
    c.copy(name, own.get_ref<const std::string&>());
  }
}

void fill_common_names(Completion& c) {
  for (const Alias& alias : kAliases)
    for (const char* old_name : alias.old_names)
      if (old_name != nullptr) c.copy(old_name, alias.name);
}

void fill_class_defaults(const ConfigClass& of_class, Completion& c) {
  if (of_class.defaults == nullptr) return;
  for (const auto& [key, value] : of_class.defaults->items()) {
    if (is_filled_elsewhere(key)) continue;
    if (!c.config().contains(key))
      c.fill(key, value);
    else if (value.is_object() && c.config()[key].is_object())
      fill_object(c.config()[key], value);
  }
}

}  // namespace cleave::define
