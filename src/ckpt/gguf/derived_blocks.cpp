#include "ckpt/gguf/derived_blocks.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.h"
#include "ckpt/gguf/derived_attention.h"

namespace cleave::ckpt {
namespace {

void sparse_layers(DerivedContext& c) {
  c.config["mlp_layer_types"] =
      c.each_layer([&](int64_t layer) { return c.layer_has(layer, "ffn_gate_inp.weight") ? "sparse" : "dense"; });
}

void cohere2moe(DerivedContext& c) {
  sparse_layers(c);
  c.config["expert_selection_fn"] = c.keys.integer("expert_gating_func") == 1 ? "softmax" : "sigmoid";
}

void hy_v3(DerivedContext& c) {
  sparse_layers(c);
  c.config["router_scaling_factor"] = shortest(c.keys.number("expert_weights_scale").value_or(1));
  const auto shared = c.keys.integer("expert_shared_feed_forward_length");
  c.config["num_shared_experts"] = shared ? *shared / c.keys.required("expert_feed_forward_length") : 1;
}

void latent(DerivedContext& c) {
  const int64_t turned = c.keys.required("rope.dimension_count");
  const char* width = c.keys.contains("attention.key_length_mla") ? "attention.key_length_mla" : "attention.key_length";
  const int64_t key_length = c.keys.required(width);
  if (key_length <= turned)
    fail(ErrorKind::Corrupt, "{}: {} is {}, of which {} turn", c.keys.file(), c.keys.key(width), key_length, turned);
  c.config["qk_rope_head_dim"] = turned;
  c.config["qk_nope_head_dim"] = key_length - turned;
  if (const auto values = c.keys.integer("attention.value_length_mla"))
    c.config["v_head_dim"] = *values;
  else if (const auto old = c.keys.integer("attention.value_length"))
    c.config["v_head_dim"] = *old;
  else
    c.config["v_head_dim"] = c.ratio("embedding_length", "attention.head_count");
  c.config["num_key_value_heads"] = c.config["num_attention_heads"];
  c.config.erase("head_dim");
  c.config.erase("partial_rotary_factor");
}

void deepseek_v2(DerivedContext& c) {
  const bool grouped = c.config["n_group"] != 1;
  c.config["topk_method"] = grouped ? "group_limited_greedy" : "greedy";
}

void mimo2(DerivedContext& c) {
  Json& config = c.config;
  sparse_layers(c);
  set_windows(c, 6);
  for (int64_t layer = 0; layer < c.sizes.num_layers; ++layer)
    if (config["layer_types"][static_cast<size_t>(layer)] == "full_attention")
      config["num_key_value_heads"] = c.kv_heads(layer);
}

// --- Recurrent ones

void delta_net(DerivedContext& c) {
  c.config["linear_value_head_dim"] = c.sizes.value_dim;
  const auto recurrent = c.keys.per_layer("attention.recurrent_layers", c.sizes.num_layers);
  const int64_t interval = std::max<int64_t>(1, c.keys.integer("full_attention_interval").value_or(4));
  c.config["layer_types"] = c.each_layer([&](int64_t layer) {
    const bool linear = recurrent ? (*recurrent)[static_cast<size_t>(layer)] != 0 : (layer + 1) % interval != 0;
    return linear ? "linear_attention" : "full_attention";
  });
}

void mamba_head_dim(DerivedContext& c) {
  c.config["mamba_d_head"] = c.ratio("ssm.inner_size", "ssm.time_step_rank");
  c.config["mamba_expand"] = std::max<int64_t>(1, c.ratio("ssm.inner_size", "embedding_length"));
}

void mamba2(DerivedContext& c) {
  c.config["head_dim"] = c.ratio("ssm.inner_size", "ssm.time_step_rank");
  c.config["expand"] = c.ratio("ssm.inner_size", "embedding_length");
}

void attention_layers(DerivedContext& c) {
  Json indices = Json::array();
  for (int64_t layer = 0; layer < c.sizes.num_layers; ++layer)
    if (c.kv_heads(layer) > 0) indices.push_back(layer);
  c.config["attn_layer_indices"] = indices;
  c.config["layers_block_type"] =
      c.each_layer([&](int64_t layer) { return c.kv_heads(layer) > 0 ? "attention" : "mamba"; });
}

void granite_hybrid(DerivedContext& c) {
  if (c.sizes.num_experts == 0) c.config["shared_intermediate_size"] = c.config["intermediate_size"];
}

void nemotron_h(DerivedContext& c) {
  const auto widths = c.keys.per_layer("feed_forward_length", c.sizes.num_layers);
  c.config["mamba_head_dim"] = c.ratio("ssm.inner_size", "ssm.time_step_rank");
  c.config["layers_block_type"] = c.each_layer([&](int64_t layer) {
    if (c.kv_heads(layer) > 0) return "attention";
    if (c.layer_has(layer, "ffn_gate_inp.weight")) return "moe";
    return widths && (*widths)[static_cast<size_t>(layer)] > 0 ? "mlp" : "mamba";
  });
}

// Period and offset of the layers of which `is` holds.
template <class Is>
void add_period(DerivedContext& c, const std::string& kind, Is is) {
  std::vector<int64_t> layers;
  for (int64_t layer = 0; layer < c.sizes.num_layers; ++layer)
    if (is(layer)) layers.push_back(layer);
  const int64_t offset = layers.empty() ? c.sizes.num_layers : layers[0];
  const int64_t period = layers.size() < 2 ? c.sizes.num_layers + 1 : layers[1] - layers[0];
  for (int64_t layer = 0; layer < c.sizes.num_layers; ++layer)
    if ((layer >= offset && (layer - offset) % period == 0) != is(layer) || (offset >= period && !layers.empty()))
      fail(ErrorKind::Unsupported, "{}: layers with {} do not follow a period, which Cleave does not read",
           c.keys.file(), kind);
  c.config[kind + "_layer_offset"] = offset;
  c.config[kind + "_layer_period"] = period;
}

void jamba(DerivedContext& c) {
  c.config["mamba_expand"] = c.ratio("ssm.inner_size", "embedding_length");
  add_period(c, "attn", [&](int64_t layer) { return c.kv_heads(layer) > 0; });
  add_period(c, "expert", [&](int64_t layer) { return c.layer_has(layer, "ffn_gate_inp.weight"); });
}

void lfm2(DerivedContext& c) {
  c.config["layer_types"] =
      c.each_layer([&](int64_t layer) { return c.kv_heads(layer) > 0 ? "full_attention" : "conv"; });
}

constexpr std::array kFunctions = {
    DerivedFunction{"sparse_layers", sparse_layers},
    DerivedFunction{"cohere2moe", cohere2moe},
    DerivedFunction{"hy_v3", hy_v3},
    DerivedFunction{"latent", latent},
    DerivedFunction{"deepseek_v2", deepseek_v2},
    DerivedFunction{"mimo2", mimo2},
    DerivedFunction{"delta_net", delta_net},
    DerivedFunction{"mamba_head_dim", mamba_head_dim},
    DerivedFunction{"mamba2", mamba2},
    DerivedFunction{"attention_layers", attention_layers},
    DerivedFunction{"granite_hybrid", granite_hybrid},
    DerivedFunction{"nemotron_h", nemotron_h},
    DerivedFunction{"jamba", jamba},
    DerivedFunction{"lfm2", lfm2},
};

}  // namespace

std::span<const DerivedFunction> block_functions() {
  return kFunctions;
}

}  // namespace cleave::ckpt
