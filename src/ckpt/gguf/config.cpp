#include "ckpt/gguf/config.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "ckpt/gguf/derived.h"
#include "ckpt/gguf/keys.h"
#include "ckpt/gguf/rope.h"

namespace cleave::ckpt {
namespace {

// Keys that mean the same in every architecture, unless its row has another name. Whole numbers; 0 says "none".
constexpr std::array kIntegers = {
    KeyRule{"block_count", "num_hidden_layers"},
    KeyRule{"context_length", "max_position_embeddings"},
    KeyRule{"embedding_length", "hidden_size"},
    KeyRule{"attention.head_count", "num_attention_heads"},
    KeyRule{"feed_forward_length", "intermediate_size"},
    KeyRule{"attention.head_count_kv", "num_key_value_heads"},
    KeyRule{"attention.key_length", "head_dim"},
    KeyRule{"attention.sliding_window", "sliding_window"},
    KeyRule{"expert_count", "num_local_experts"},
    KeyRule{"expert_used_count", "num_experts_per_tok"},
    KeyRule{"expert_feed_forward_length", "moe_intermediate_size"},
};

// The same for real numbers.
constexpr std::array kNumbers = {
    KeyRule{"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    KeyRule{"attention.layer_norm_epsilon", "layer_norm_eps"},
    KeyRule{"rope.freq_base", "rope_theta"},
};

template <size_t N>
bool is_among(const std::array<KeyRule, N>& rules, std::string_view key) {
  return std::any_of(rules.begin(), rules.end(), [&](const KeyRule& rule) { return rule.gguf == key; });
}

// Sets "a.b", which is b in the object a.
void set(Json& config, std::string_view path, Json value) {
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos)
    config[std::string(path)] = std::move(value);
  else
    set(config[std::string(path.substr(0, dot))], path.substr(dot + 1), std::move(value));
}

class ConfigMaker {
 public:
  ConfigMaker(const GgufContents& contents, const GgufArchitecture& architecture)
      : contents_(contents), keys_(contents, architecture), architecture_(architecture) {}

  GgufConfig make() {
    config_ = architecture_.constants;
    config_["architectures"] = {architecture_.hf_class};
    config_["model_type"] = architecture_.model_type;
    add_sizes();
    add_common_keys();
    add_own_keys();
    add_heads();
    add_from_tensors();
    if (const auto norm = keys_.boolean("expert_weights_norm")) config_["norm_topk_prob"] = *norm;
    add_rope(keys_, config_);
    add_window_pattern(keys_, config_);
    for (const std::string_view name : architecture_.derived) derive(name, keys_, sizes_, config_);
    config_.update(make_generation_config(contents_.metadata));
    return {std::move(config_), std::move(sizes_)};
  }

 private:
  bool attends() const {
    return std::any_of(architecture_.names.begin(), architecture_.names.end(),
                       [](const NameRule& rule) { return rule.stored[0].starts_with("attn_output"); });
  }

  void add_sizes() {
    sizes_.stored_layers = keys_.required("block_count");
    sizes_.num_layers = sizes_.stored_layers - keys_.integer("nextn_predict_layers").value_or(0);
    if (sizes_.num_layers < 1)
      fail(ErrorKind::Corrupt, "{}: {} leaves no layer of the {}", keys_.file(), keys_.key("nextn_predict_layers"),
           sizes_.stored_layers);
    check_layers();
    keys_.required("context_length");
    keys_.required("embedding_length");
    if (attends()) keys_.required("attention.head_count");
    const int64_t layers = sizes_.stored_layers;
    sizes_.heads = keys_.per_layer("attention.head_count", layers).value_or(std::vector<int64_t>());
    sizes_.heads.resize(static_cast<size_t>(layers));
    sizes_.kv_heads = keys_.per_layer("attention.head_count_kv", layers).value_or(sizes_.heads);
    sizes_.num_experts = keys_.integer("expert_count").value_or(0);
    sizes_.key_heads = keys_.integer("ssm.group_count").value_or(0);
    sizes_.value_heads = keys_.integer("ssm.time_step_rank").value_or(0);
    if (sizes_.value_heads > 0) sizes_.value_dim = keys_.integer("ssm.inner_size").value_or(0) / sizes_.value_heads;
  }

  // Lists of all layers are made: there must be tensors to match.
  void check_layers() const {
    const auto most = static_cast<int64_t>(contents_.tensors.size()) + 1024;
    if (sizes_.stored_layers > most)
      fail(ErrorKind::Corrupt, "{}: {} is {}, but there are only {} tensors", keys_.file(), keys_.key("block_count"),
           sizes_.stored_layers, contents_.tensors.size());
  }

  // The config key, by the architecture's row or by `common`.
  std::string_view name_of(std::string_view gguf, std::string_view common) const {
    for (const KeyRule& rule : architecture_.keys)
      if (rule.gguf == gguf) return rule.hf;
    return common;
  }

  void add_common_keys() {
    for (const KeyRule& rule : kIntegers)
      if (const int64_t value = keys_.integer(rule.gguf).value_or(0); value != 0)
        set(config_, name_of(rule.gguf, rule.hf), value);
    set(config_, name_of("block_count", "num_hidden_layers"), sizes_.num_layers);
    for (const KeyRule& rule : kNumbers)
      if (const auto value = keys_.number(rule.gguf)) set(config_, name_of(rule.gguf, rule.hf), shortest(*value));
  }

  void add_own_keys() {
    for (const KeyRule& rule : architecture_.keys) {
      if (is_among(kIntegers, rule.gguf) || is_among(kNumbers, rule.gguf) || !keys_.contains(rule.gguf)) continue;
      if (name_of(rule.gguf, rule.hf) != rule.hf) continue;  // another line counts
      const GgufValue& value = contents_.metadata.values().find(keys_.key(rule.gguf))->second;
      if (std::holds_alternative<bool>(value))
        set(config_, rule.hf, std::get<bool>(value));
      else if (std::holds_alternative<float>(value) || std::holds_alternative<double>(value))
        set(config_, rule.hf, shortest(*keys_.number(rule.gguf)));
      else
        set(config_, rule.hf, *keys_.integer(rule.gguf));
    }
    for (const KeyRule& rule : architecture_.has) set(config_, rule.hf, any_layer_has(keys_, rule.gguf));
  }

  void add_heads() {
    const int64_t heads = keys_.integer("attention.head_count").value_or(0);
    if (heads == 0 || !attends()) {
      config_.erase("head_dim");
      return;
    }
    const int64_t hidden = keys_.required("embedding_length");
    const std::string kv_name(name_of("attention.head_count_kv", "num_key_value_heads"));
    if (!keys_.contains("attention.head_count_kv")) set(config_, kv_name, heads);
    if (!config_.contains("head_dim")) {
      if (hidden % heads != 0)
        fail(ErrorKind::Corrupt, "{}: {} is {}, not a multiple of the {} heads", keys_.file(),
             keys_.key("embedding_length"), hidden, heads);
      config_["head_dim"] = hidden / heads;
    }
    const std::optional<int64_t> value_length = keys_.integer("attention.value_length");
    const bool apart = architecture_.may_vary("attention.value_length") || name_of("attention.value_length", "") != "";
    if (value_length && !apart && config_["head_dim"] != *value_length)
      fail(ErrorKind::Unsupported, "{}: values of {} elements but keys of {}, which Cleave does not read", keys_.file(),
           *value_length, config_["head_dim"].get<int64_t>());
  }

  void add_from_tensors() {
    const auto embedding = contents_.tensors.find("token_embd.weight");
    if (embedding == contents_.tensors.end())
      fail(ErrorKind::Corrupt, "{}: has no tensor token_embd.weight", keys_.file());
    const Shape& shape = embedding->second.shape;
    const int64_t hidden = keys_.required("embedding_length");
    if (shape.size() != 2 || shape[1] != hidden)
      fail(ErrorKind::Corrupt, "{}: tensor token_embd.weight has shape {}, but {} is {}", keys_.file(),
           to_string(shape), keys_.key("embedding_length"), hidden);
    config_["vocab_size"] = shape[0];
    config_["tie_word_embeddings"] = !keys_.has_tensor("output.weight");
    config_["attention_bias"] = any_layer_has(keys_, "attn_q.bias") || any_layer_has(keys_, "attn_qkv.bias");
    if (!config_.contains("mlp_bias")) config_["mlp_bias"] = any_layer_has(keys_, "ffn_up.bias");
  }

  const GgufContents& contents_;
  const GgufKeys keys_;
  const GgufArchitecture& architecture_;
  ModelSizes sizes_;
  Json config_;
};

}  // namespace

GgufConfig make_config(const GgufContents& contents, const GgufArchitecture& architecture) {
  return ConfigMaker(contents, architecture).make();
}

Json make_generation_config(const GgufMetadata& metadata) {
  Json config = Json::object();
  if (const auto begin = metadata.integer("tokenizer.ggml.bos_token_id")) config["bos_token_id"] = *begin;
  std::vector<int64_t> ends;
  for (const char* key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    const std::optional<int64_t> end = metadata.integer(key);
    if (end && std::find(ends.begin(), ends.end(), *end) == ends.end()) ends.push_back(*end);
  }
  if (ends.size() == 1) config["eos_token_id"] = ends[0];
  if (ends.size() > 1) config["eos_token_id"] = ends;
  return config;
}

}  // namespace cleave::ckpt
