#include "define/derived_layers.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/error.h"
#include "define/class_rules.h"
#include "define/config_classes.h"

namespace cleave::define {
namespace {

constexpr const char* kFull = "full_attention";
constexpr const char* kSliding = "sliding_attention";
constexpr const char* kLinear = "linear_attention";
constexpr const char* kLayerTypes = "layer_types";
constexpr const char* kMlpLayerTypes = "mlp_layer_types";

// A list of one entry for each layer; `of` gives that of layer i, from 0.
template <class Function>
Json per_layer(int64_t layers, const Function& of) {
  Json list = Json::array();
  for (int64_t i = 0; i < layers; ++i) list.push_back(of(i));
  return list;
}

// The last layer of every `period` sees everything, the others are of kind `other`. No period: all are.
Json all_but_every(int64_t layers, int64_t period, const char* other) {
  return per_layer(layers, [&](int64_t i) { return period > 0 && (i + 1) % period == 0 ? kFull : other; });
}

// The first layer of every four sees everything.
void first_of_four(Completion& c) {
  c.fill(kLayerTypes, per_layer(c.num_layers(), [](int64_t i) { return i % 4 == 0 ? kFull : kSliding; }));
}

// The first layer of every few sees everything.
void first_of_interval(Completion& c) {
  const int64_t interval = std::max<int64_t>(1, c.integer("global_attn_every_n_layers", 3));
  c.fill(kLayerTypes, per_layer(c.num_layers(), [&](int64_t i) { return i % interval == 0 ? kFull : kSliding; }));
}

template <int64_t period>
void windows_but_every(Completion& c) {
  c.fill(kLayerTypes, all_but_every(c.num_layers(), period, kSliding));
}

template <int64_t fallback>
void windows_by_pattern(Completion& c) {
  const int64_t period = c.integer("sliding_window_pattern", fallback);
  c.fill(kLayerTypes, all_but_every(c.num_layers(), period, kSliding));
}

// The last layer always sees everything.
void gemma4(Completion& c) {
  windows_but_every<6>(c);
  Json& types = c.config()[kLayerTypes];
  if (types.is_array() && !types.empty()) types.back() = kFull;
}

// "LLLG", local and global layers, for a repeated row of them.
Json by_letters(int64_t layers, const std::string& pattern) {
  return per_layer(
      layers, [&](int64_t i) { return pattern[static_cast<size_t>(i) % pattern.size()] == 'G' ? kFull : kSliding; });
}

// The pattern that early configurations write: letters or a period. Without a window all layers see everything.
void early_pattern(Completion& c) {
  for (const char* key : {"sliding_window_pattern", "_sliding_window_pattern"}) {
    if (!c.has(key) || c.has(kLayerTypes)) continue;
    const Json& pattern = c.config()[key];
    if (pattern.is_string() && !pattern.get_ref<const std::string&>().empty())
      c.fill(kLayerTypes, by_letters(c.num_layers(), pattern.get<std::string>()));
    else if (pattern.is_number_integer())
      c.fill(kLayerTypes, all_but_every(c.num_layers(), c.integer(key), kSliding));
  }
}

void exaone(Completion& c) {
  if (c.has("sliding_window")) return early_pattern(c);
  c.fill(kLayerTypes, all_but_every(c.num_layers(), 1, kSliding));
}

// Windows from layer max_window_layers on.
void late_windows(Completion& c) {
  const int64_t first = c.has("sliding_window") ? c.integer("max_window_layers") : c.num_layers();
  c.fill(kLayerTypes, per_layer(c.num_layers(), [&](int64_t i) { return i >= first ? kSliding : kFull; }));
}

// Windows in every other of the first max_window_layers.
void early_windows(Completion& c) {
  const int64_t end = c.has("sliding_window") ? c.integer("max_window_layers") : 0;
  c.fill(kLayerTypes, per_layer(c.num_layers(), [&](int64_t i) { return i % 2 == 0 && i < end ? kSliding : kFull; }));
}

void linear_but_every_interval(Completion& c) {
  c.fill(kLayerTypes, all_but_every(c.num_layers(), c.integer("full_attention_interval", 4), kLinear));
}

// Every other layer is linear, from the second on.
void minimax(Completion& c) {
  c.fill(kLayerTypes, per_layer(c.num_layers(), [](int64_t i) { return i % 2 == 0 ? kFull : kLinear; }));
}

// Three of four are linear; one sees everything in any case.
void olmo_hybrid(Completion& c) {
  Json types = all_but_every(c.num_layers(), 4, kLinear);
  if (!types.empty() && types.size() < 4) types.back() = kFull;
  c.fill(kLayerTypes, std::move(types));
}

void mimo(Completion& c) {
  c.fill(kLayerTypes,
         per_layer(c.num_layers(), [](int64_t i) { return i == 0 || (i + 1) % 6 == 0 ? kFull : kSliding; }));
}

void one_kind(Completion& c, const char* kind) {
  c.fill(kLayerTypes, per_layer(c.num_layers(), [&](int64_t) { return kind; }));
}

std::set<int64_t> integers(const Json& list) {
  std::set<int64_t> numbers;
  for (const Json& entry : list)
    if (entry.is_number_integer()) numbers.insert(entry.get<int64_t>());
  return numbers;
}

// Layers that are listed see everything, by default all; the others are short convolutions.
void lfm2(Completion& c) {
  const bool listed = c.has("full_attn_idxs");
  const std::set<int64_t> full = listed ? integers(c.config()["full_attn_idxs"]) : std::set<int64_t>();
  c.fill(kLayerTypes,
         per_layer(c.num_layers(), [&](int64_t i) { return !listed || full.contains(i) ? kFull : "conv"; }));
}

// 1 where queries and keys are turned: in all layers but every no_rope_layer_interval-th. An empty list is as good as
// none in Llama 4.
void rope_layers(Completion& c) {
  const int64_t interval = c.integer("no_rope_layer_interval", 4);
  if (interval <= 0) fail(ErrorKind::Corrupt, "config: no_rope_layer_interval is {}, wanted 1 or more", interval);
  c.fill("no_rope_layers", per_layer(c.num_layers(), [&](int64_t i) { return (i + 1) % interval != 0 ? 1 : 0; }));
}

void llama4(Completion& c) {
  if (c.has("no_rope_layers") && c.config()["no_rope_layers"].empty()) c.config().erase("no_rope_layers");
  rope_layers(c);
  const int64_t step = c.integer("interleave_moe_layer_step", 1);
  if (step <= 0) fail(ErrorKind::Corrupt, "config: interleave_moe_layer_step is {}, wanted 1 or more", step);
  Json sparse = Json::array();
  for (int64_t i = step - 1; i < c.num_layers(); i += step) sparse.push_back(i);
  c.fill("moe_layers", std::move(sparse));
}

// Layers that do not turn have a window, where there is one.
void smollm3(Completion& c) {
  rope_layers(c);
  const Json& turned = c.config()["no_rope_layers"];
  const bool windows = c.has("sliding_window");
  const auto turns = [&](size_t i) { return !turned.is_array() || i >= turned.size() || turned[i] != 0; };
  c.fill(kLayerTypes, per_layer(c.num_layers(), [&](int64_t i) {
           return windows && !turns(static_cast<size_t>(i)) ? kSliding : kFull;
         }));
}

// The first layers of the model have a pattern of their own.
void cohere2_moe(Completion& c) {
  const int64_t dense = std::clamp<int64_t>(c.integer("first_k_dense_replace"), 0, c.num_layers());
  Json types = all_but_every(dense, c.integer("prefix_dense_sliding_window_pattern", 1), kSliding);
  for (const Json& type : all_but_every(c.num_layers() - dense, c.integer("sliding_window_pattern", 4), kSliding))
    types.push_back(type);
  c.fill(kLayerTypes, std::move(types));
}

void dense_first(Completion& c, int64_t dense) {
  c.fill(kMlpLayerTypes, per_layer(c.num_layers(), [&](int64_t i) { return i < dense ? "dense" : "sparse"; }));
}

const char* block_of_letter(char letter) {
  switch (letter) {
    case 'M':
      return kLinear;
    case '*':
      return kFull;
    case 'E':
      return "moe";
    case '-':
      return "mlp";
    default:
      fail(ErrorKind::Corrupt, "config: hybrid_override_pattern has the letter '{}', wanted M, *, E and -", letter);
  }
}

// One letter for each layer's block; their number is that of layers.
void nemotron_h(Completion& c) {
  if (!c.has("layers_block_type") && c.has("hybrid_override_pattern")) {
    const Json& pattern = c.config()["hybrid_override_pattern"];
    if (!pattern.is_string()) fail(ErrorKind::Corrupt, "config: hybrid_override_pattern is no text");
    Json blocks = Json::array();
    for (const char letter : pattern.get_ref<const std::string&>()) blocks.push_back(block_of_letter(letter));
    c.force("layers_block_type", std::move(blocks));
  }
  c.fill("layers_block_type", Json{kLinear, "moe", kFull, "mlp"});
  c.force("num_hidden_layers", c.config()["layers_block_type"].size());
}

// What configurations that no class reads may have: a pattern, or windows in the last layers.
void without_class(Completion& c) {
  early_pattern(c);
  if (c.has("max_window_layers") && c.has("sliding_window")) late_windows(c);
}

constexpr ClassRule kRules[] = {
    {"gemma2 vaultgemma gpt_oss", windows_but_every<2>},
    {"olmo3", windows_but_every<4>},
    {"cohere2", windows_by_pattern<4>},
    {"gemma3_text", windows_by_pattern<6>},
    {"gemma4_text", gemma4},
    {"exaone4 exaone_moe", exaone},
    {"cwm granite_swa granitemoe_swa", first_of_four},
    {"modernbert", first_of_interval},
    {"cohere2_moe", cohere2_moe},
    {"mimo_v2_flash", mimo},
    {"qwen2 qwen3 dots1", late_windows},
    {"qwen2_moe", early_windows},
    {"qwen3_next qwen3_5_text qwen3_5_moe_text", linear_but_every_interval},
    {"minimax", minimax},
    {"olmo_hybrid", olmo_hybrid},
    {"granitemoehybrid", [](Completion& c) { one_kind(c, kLinear); }},
    {"mellum", [](Completion& c) { one_kind(c, kFull); }},
    {"ministral", [](Completion& c) { one_kind(c, c.has("sliding_window") ? kSliding : kFull); }},
    {"lfm2", lfm2},
    {"llama4_text", llama4},
    {"smollm3", smollm3},
    {"exaone_moe", [](Completion& c) { dense_first(c, c.integer("first_k_dense_replace")); }},
    {"cohere2_moe", [](Completion& c) { dense_first(c, c.integer("first_k_dense_replace")); }},
    {"glm4_moe_lite hy_v3 mimo_v2_flash", [](Completion& c) { dense_first(c, 1); }},
    {"mellum", [](Completion& c) { dense_first(c, 0); }},
};

}  // namespace

void fill_kinds_of_layers(std::string_view model_type, Completion& c) {
  if (model_type == "nemotron_h") nemotron_h(c);
  if (!c.has("num_hidden_layers")) return;
  apply_rules(kRules, model_type, c);
  if (class_named(model_type) == nullptr) without_class(c);
}

}  // namespace cleave::define
