#include "define/derived_defaults.h"

#include <cmath>
#include <string>

#include "base/error.h"
#include "define/class_rules.h"
#include "define/derived_layers.h"

namespace cleave::define {
namespace {

int64_t quotient(const Completion& c, int64_t dividend, std::string_view divisor) {
  const int64_t by = c.integer(divisor);
  if (by <= 0) fail(ErrorKind::Corrupt, "config: {} is {}, wanted a positive number", divisor, by);
  return dividend / by;
}

// "auto", as classes write it, is as good as absent.
void fill_auto(Completion& c, std::string_view key, int64_t value) {
  if (c.has(key) && *c.config().find(key) == "auto") c.config().erase(std::string(key));
  c.fill(key, value);
}

void mamba2_head(Completion& c) {
  const int64_t expanded = c.integer("mamba_expand", 2) * c.integer("hidden_size");
  fill_auto(c, "mamba_d_head", quotient(c, c.integer("mamba_d_ssm", expanded), "mamba_n_heads"));
}

void mamba_rank(Completion& c, std::string_view key) {
  fill_auto(c, key, (c.integer("hidden_size") + 15) / 16);
}

void mamba_sizes(Completion& c) {
  mamba_rank(c, "time_step_rank");
  c.force("intermediate_size", c.integer("expand", 2) * c.integer("hidden_size"));
}

void head_of_hidden(Completion& c) {
  c.force("head_dim", quotient(c, c.integer("hidden_size"), "num_attention_heads"));
}

void falcon_sizes(Completion& c) {
  c.copy("n_head_kv", "num_kv_heads");
  c.fill("num_kv_heads", c.integer("num_attention_heads"));
  c.fill("ffn_hidden_size", 4 * c.integer("hidden_size"));
  c.fill("activation", "gelu");
}

void delta_net_sizes(Completion& c) {
  for (const char* heads : {"linear_num_key_heads", "linear_num_value_heads"})
    c.fill(heads, c.integer("num_attention_heads"));
  c.fill("linear_key_head_dim", quotient(c, c.integer("hidden_size") * 3 / 4, "linear_num_key_heads"));
  c.fill("linear_value_head_dim", 2 * c.integer("linear_key_head_dim"));
}

void minicpm3_sizes(Completion& c) {
  c.fill("v_head_dim", quotient(c, c.integer("hidden_size"), "num_attention_heads"));
  c.fill("scale_depth", std::sqrt(static_cast<double>(c.num_layers())));
  c.fill("dim_model_base", c.integer("hidden_size"));
}

// Heads of layers that see everything are wider, unless the configuration lists what differs by layer.
void gemma4_heads(Completion& c) {
  if (!c.has("per_layer_config")) c.fill("global_head_dim", 512);
}

void score_scale(Completion& c) {
  const int64_t head = c.integer("head_dim");
  if (head > 0) c.fill("attention_multiplier", std::pow(static_cast<double>(head), -0.5));
}

// Transformers counts the token itself, the published key does not.
void mimo_window(Completion& c) {
  if (c.has("sliding_window_size")) c.force("sliding_window", c.integer("sliding_window_size") + 1);
}

constexpr ClassRule kSizes[] = {
    {"bamba granitemoehybrid falcon_h1", mamba2_head},
    {"jamba", [](Completion& c) { mamba_rank(c, "mamba_dt_rank"); }},
    {"mamba falcon_mamba", mamba_sizes},
    {"cohere2 recurrent_gemma", head_of_hidden},
    {"recurrent_gemma", [](Completion& c) { c.fill("lru_width", c.integer("hidden_size")); }},
    {"falcon RefinedWeb RefinedWebModel", falcon_sizes},
    {"olmo_hybrid", delta_net_sizes},
    {"minicpm3", minicpm3_sizes},
    {"gemma4_text", gemma4_heads},
    {"hyperclovax", score_scale},
    {"mimo_v2_flash", mimo_window},
    {"opt", [](Completion& c) { c.fill("word_embed_proj_dim", c.integer("hidden_size")); }},
};

}  // namespace

void fill_derived_defaults(std::string_view model_type, Completion& c) {
  apply_rules(kSizes, model_type, c);
  fill_kinds_of_layers(model_type, c);
}

}  // namespace cleave::define
