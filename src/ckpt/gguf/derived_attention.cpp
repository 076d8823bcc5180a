#include "ckpt/gguf/derived_attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "ckpt/gguf/derived.h"

namespace cleave::ckpt {
namespace {

void whole_heads(DerivedContext& c) {
  if (c.config.value("partial_rotary_factor", 1.0) == 1) return;
  fail(ErrorKind::Unsupported, "{}: {} is {} where heads have {} elements", c.keys.file(),
       c.keys.key("rope.dimension_count"), c.keys.required("rope.dimension_count"),
       c.config["head_dim"].get<int64_t>());
}

void mistral(DerivedContext& c) {
  if (c.config.value("sliding_window", Json()).is_null()) return;
  c.config["architectures"] = {"MistralForCausalLM"};
  c.config["model_type"] = "mistral";
}

void ministral(DerivedContext& c) {
  const auto beta = c.keys.number("attention.temperature_scale");
  if (!beta) {  // Mistral Small 3 is written under the same name
    c.config["architectures"] = {"MistralForCausalLM"};
    c.config["model_type"] = "mistral";
    if (!c.config.contains("sliding_window")) c.config["sliding_window"] = nullptr;
    return;
  }
  Json& scaling = c.config["rope_scaling"];
  if (!scaling.is_object())
    fail(ErrorKind::Corrupt, "{}: {} without yarn", c.keys.file(), c.keys.key("attention.temperature_scale"));
  scaling["llama_4_scaling_beta"] = shortest(*beta);
  if (const auto scale = c.keys.number("rope.scaling.yarn_log_multiplier"))
    scaling["mscale"] = scaling["mscale_all_dim"] = shortest(*scale);
}

void deci(DerivedContext& c) {
  const auto widths = c.keys.per_layer("feed_forward_length", c.sizes.num_layers);
  const double hidden = c.config["hidden_size"].get<double>();
  c.config["block_configs"] = c.each_layer([&](int64_t layer) {
    const int64_t heads = c.sizes.heads[static_cast<size_t>(layer)], kv = c.kv_heads(layer);
    const int64_t width = widths ? (*widths)[static_cast<size_t>(layer)] : 0;
    Json attention = {{"no_op", heads == 0}, {"replace_with_linear", heads > 0 && kv == 0}};
    if (kv > 0) attention["n_heads_in_group"] = heads / kv;
    return Json{{"attention", attention},
                {"ffn", {{"no_op", width == 0}, {"ffn_mult", 1.5 * static_cast<double>(width) / hidden}}}};
  });
}

void no_rope_layers(DerivedContext& c) {
  c.config["no_rope_layers"] = c.each_layer([](int64_t layer) { return (layer + 1) % 4 == 0 ? 0 : 1; });
}

void bias(DerivedContext& c) {
  c.config["bias"] = c.config["attention_bias"];
}

void output_bias(DerivedContext& c) {
  c.config["attention_out_bias"] = any_layer_has(c.keys, "attn_output.bias");
}

// Llama.cpp tells rotary from ALiBi by the number of layers.
void baichuan(DerivedContext& c) {
  if (c.sizes.num_layers == 40)
    c.config.erase("max_position_embeddings");
  else if (c.sizes.num_layers != 32)
    fail(ErrorKind::Unsupported,
         "{}: a baichuan of {} layers: the file does not say whether it has rotary positions, as that of 32, or ALiBi, "
         "as that of 40; use the Hugging Face directory",
         c.keys.file(), c.sizes.num_layers);
}

void minicpm(DerivedContext& c) {
  const double hidden = c.config["hidden_size"].get<double>();
  const double root = std::sqrt(static_cast<double>(c.sizes.num_layers));
  // What llama.cpp takes where an old file lacks them: the first MiniCPM's.
  c.config["scale_emb"] = shortest(c.keys.number("embedding_scale").value_or(12));
  c.config["scale_depth"] = c.keys.number("residual_scale").value_or(1.4 / root) * root;
  c.config["dim_model_base"] = c.keys.contains("logit_scale") ? hidden / *c.keys.number("logit_scale") : 256.0;
}

// --- Windows

void windows_of_2(DerivedContext& c) {
  set_windows(c, 2);
}

void windows_of_4(DerivedContext& c) {
  set_windows(c, 4);
}

void windows_of_6(DerivedContext& c) {
  set_windows(c, 6);
  if (!c.config.contains("rope_local_base_freq")) c.config["rope_local_base_freq"] = 10000.0;
}

// Scores of the largest Gemmas, which llama.cpp knows by their layers, are scaled by the width for each head.
void gemma_scale(DerivedContext& c) {
  const int64_t largest = c.config["model_type"] == "gemma2" ? 46 : 62;
  if (const auto scale = c.keys.number("attention.scale"))
    c.config["query_pre_attn_scalar"] = 1 / (*scale * *scale);
  else if (c.sizes.num_layers == largest)
    c.config["query_pre_attn_scalar"] = c.ratio("embedding_length", "attention.head_count");
  else
    c.config["query_pre_attn_scalar"] = c.config["head_dim"];
}

// Widths of layers that see everything stand in the common keys, those of the others in keys that end in _swa.
void gemma4(DerivedContext& c) {
  Json& config = c.config;
  config["global_head_dim"] = config["head_dim"];
  if (const auto narrow = c.keys.integer("attention.key_length_swa")) config["head_dim"] = *narrow;
  if (!config.contains("layer_types"))
    fail(ErrorKind::Corrupt, "{}: metadata key {} is missing", c.keys.file(),
         c.keys.key("attention.sliding_window_pattern"));
  const auto widths = c.keys.per_layer("feed_forward_length", c.sizes.num_layers);
  config["intermediate_size"] = widths ? widths->front() : 0;
  config["use_double_wide_mlp"] = widths && widths->front() != widths->back();
  config["enable_moe_block"] = any_layer_has(c.keys, "ffn_gate_inp.weight");
  config["attention_k_eq_v"] = false;
  for (int64_t layer = 0; layer < c.sizes.num_layers; ++layer) {
    const bool full = config["layer_types"][static_cast<size_t>(layer)] == "full_attention";
    config[full ? "num_global_key_value_heads" : "num_key_value_heads"] = c.kv_heads(layer);
    if (full && c.layer_has(layer, "attn_k.weight") && !c.layer_has(layer, "attn_v.weight"))
      config["attention_k_eq_v"] = true;
  }
  if (const auto table = c.keys.contents().tensors.find("per_layer_token_embd.weight");
      table != c.keys.contents().tensors.end())
    config["vocab_size_per_layer_input"] = table->second.shape[0];
  // Dimensions that do not turn are divided by more than any position makes up for.
  Json full = {{"rope_type", "proportional"}, {"rope_theta", config["rope_theta"]}};
  if (config["rope_scaling"].is_object() && config["rope_scaling"].contains("long_factor")) {
    const auto factors = config["rope_scaling"]["long_factor"].get<std::vector<double>>();
    const auto turned = std::count_if(factors.begin(), factors.end(), [](double factor) { return factor < 1e15; });
    full["partial_rotary_factor"] = static_cast<double>(turned) / static_cast<double>(factors.size());
  }
  Json sliding = {{"rope_type", "default"}, {"rope_theta", config.value("rope_local_base_freq", 10000.0)}};
  for (const char* key : {"rope_scaling", "rope_local_base_freq", "original_max_position_embeddings"})
    config.erase(key);
  config["rope_parameters"] = {{"full_attention", full}, {"sliding_attention", sliding}};
}

void gpt_oss(DerivedContext& c) {
  if (c.config["rope_scaling"].is_object()) c.config["rope_scaling"]["truncate"] = false;
}

void llama4(DerivedContext& c) {
  c.config["use_qk_norm"] = c.sizes.num_experts != 128;  // Maverick has none
  if (c.keys.integer("attention.sliding_window") == 0) c.config["attention_chunk_size"] = nullptr;
  c.config.erase("sliding_window");
}

// A list of whether each layer turns queries and keys.
void rope_pattern(DerivedContext& c) {
  set_windows(c, 4);
  const auto turns = c.keys.per_layer("attention.rope_pattern", c.sizes.num_layers);
  if (!turns) return;
  c.config["layer_rope_theta"] = c.each_layer(
      [&](int64_t layer) { return (*turns)[static_cast<size_t>(layer)] != 0 ? c.config["rope_theta"] : Json(0); });
}

void no_sections(DerivedContext& c) {
  if (c.keys.contains("rope.dimension_sections"))
    fail(ErrorKind::Unsupported,
         "{}: {} rows of a model for images are in another order; use the Hugging Face directory", c.keys.file(),
         c.keys.architecture().name);
}

// --- GPT-2 and its kin

void falcon(DerivedContext& c) {
  c.config["new_decoder_architecture"] = c.kv_heads(0) != 1;
  if (c.kv_heads(0) != 1) c.config["num_ln_in_parallel_attn"] = 1;
}

void mpt(DerivedContext& c) {
  Json& attention = c.config["attn_config"];
  attention["alibi"] = c.keys.number("attention.max_alibi_bias").value_or(0) > 0;
  if (c.kv_heads(0) != c.sizes.heads[0]) attention["attn_type"] = "grouped_query_attention";
  c.config["no_bias"] = !any_layer_has(c.keys, "ffn_up.bias");
}

constexpr std::array kFunctions = {
    DerivedFunction{"whole_heads", whole_heads},
    DerivedFunction{"mistral", mistral},
    DerivedFunction{"ministral", ministral},
    DerivedFunction{"deci", deci},
    DerivedFunction{"no_rope_layers", no_rope_layers},
    DerivedFunction{"bias", bias},
    DerivedFunction{"output_bias", output_bias},
    DerivedFunction{"baichuan", baichuan},
    DerivedFunction{"minicpm", minicpm},
    DerivedFunction{"windows_of_2", windows_of_2},
    DerivedFunction{"windows_of_4", windows_of_4},
    DerivedFunction{"windows_of_6", windows_of_6},
    DerivedFunction{"gemma_scale", gemma_scale},
    DerivedFunction{"gemma4", gemma4},
    DerivedFunction{"gpt_oss", gpt_oss},
    DerivedFunction{"llama4", llama4},
    DerivedFunction{"rope_pattern", rope_pattern},
    DerivedFunction{"no_sections", no_sections},
    DerivedFunction{"falcon", falcon},
    DerivedFunction{"mpt", mpt},
};

}  // namespace

void set_windows(DerivedContext& c, int64_t period) {
  const bool has_window = c.config.contains("sliding_window") && !c.config["sliding_window"].is_null();
  if (!has_window) c.config["sliding_window"] = nullptr;
  if (c.config.contains("layer_types")) return;
  c.config["layer_types"] = c.each_layer(
      [&](int64_t layer) { return has_window && (layer + 1) % period != 0 ? "sliding_attention" : "full_attention"; });
}

std::span<const DerivedFunction> attention_functions() {
  return kFunctions;
}

}  // namespace cleave::ckpt
