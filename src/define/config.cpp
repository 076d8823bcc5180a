#include "define/config.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace cleave::define {
namespace {

bool present(const Json& config, const std::string& key) {
  return config.contains(key) && !config[key].is_null();
}

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
};

void fill_aliases(Json& config) {
  for (const Alias& alias : kAliases) {
    for (const char* old_name : alias.old_names) {
      if (old_name == nullptr || present(config, alias.name)) break;
      if (present(config, old_name)) config[alias.name] = config[old_name];
    }
  }
}

void check_sizes(const Json& config) {
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
                          "intermediate_size", "vocab_size"}) {
    if (!present(config, key)) continue;
    const Json& value = config[key];
    constexpr int64_t kLimit = int64_t{1}
                               << 32;  // no tensor of a model is that long; products of two stay within int64
    if (value.is_array()) continue;    // one per layer
    if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > kLimit)
      fail(ErrorKind::Corrupt, "config: {} is {}, wanted a number from 0 to {}", key, value.dump(), kLimit);
  }
}

void fill_head_sizes(Json& config) {
  if (!present(config, "num_attention_heads") || !config["num_attention_heads"].is_number_integer()) return;
  const int64_t heads = config["num_attention_heads"].get<int64_t>();
  if (!present(config, "num_key_value_heads")) config["num_key_value_heads"] = heads;
  if (!present(config, "head_dim") && present(config, "hidden_size") && heads > 0)
    config["head_dim"] = config["hidden_size"].get<int64_t>() / heads;
}

// Rotary settings of a version-4 configuration, in version 5's form.
Json rope_from_version_4(const Json& config) {
  Json rope = Json::object();
  if (present(config, "rope_scaling") && config["rope_scaling"].is_object()) rope = config["rope_scaling"];
  if (!rope.contains("rope_type")) rope["rope_type"] = rope.value("type", "default");
  for (const char* key : {"rope_theta", "rotary_emb_base"})
    if (!rope.contains("rope_theta") && present(config, key)) rope["rope_theta"] = config[key];
  for (const char* key : {"partial_rotary_factor", "rotary_pct"})
    if (!rope.contains("partial_rotary_factor") && present(config, key)) rope["partial_rotary_factor"] = config[key];
  return rope;
}

void complete_rope(const Json& config, Json& rope) {
  if (!rope.contains("rope_type")) rope["rope_type"] = "default";
  if (rope["rope_type"] == "su") rope["rope_type"] = "longrope";  // its first name
  if (!rope.contains("rope_theta")) rope["rope_theta"] = 10000.0;
  if (!rope.contains("original_max_position_embeddings") && present(config, "original_max_position_embeddings"))
    rope["original_max_position_embeddings"] = config["original_max_position_embeddings"];
}

// Version 5 writes null where nothing turns queries and keys.
Json no_rope() {
  return {{"rope_type", "none"}};
}

bool says_no_rope(const Json& config) {
  return config.contains("rope_parameters") && config["rope_parameters"].is_null() && !present(config, "rope_theta") &&
         !present(config, "rope_scaling");
}

void normalize_rope(Json& config) {
  if (says_no_rope(config)) config["rope_parameters"] = no_rope();
  if (!present(config, "rope_parameters")) {
    config["rope_parameters"] = rope_from_version_4(config);
    if (present(config, "rope_local_base_freq")) {
      const Json full = config["rope_parameters"];
      config["rope_parameters"] = {
          {"full_attention", full},
          {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", config["rope_local_base_freq"]}}}};
    }
  }
  Json& rope = config["rope_parameters"];
  if (!rope.is_object()) fail(ErrorKind::Corrupt, "config: rope_parameters is {}, wanted an object", rope.dump());
  const bool nested = !rope.empty() && !rope.contains("rope_type") && !rope.contains("rope_theta");
  if (!nested) {
    complete_rope(config, rope);
    return;
  }
  for (auto& [layer_type, parameters] : rope.items()) {
    if (parameters.is_null()) parameters = no_rope();
    if (parameters.is_object()) complete_rope(config, parameters);
  }
}

void normalize_window(Json& config) {
  const bool off = config.contains("use_sliding_window") && config["use_sliding_window"] == false;
  if (off || (config.contains("sliding_window") && config["sliding_window"] == 0)) config.erase("sliding_window");
}

// The text part of a multimodal model takes the place of the whole, but what the checkpoint is, the whole says. A whole
// that has layers of its own (Fuyu) only lacks some keys. Where they disagree on a tied head, which of them counts has
// changed with versions of Transformers: the checkpoint shall tell.
void take_text_part(Json& config) {
  if (!present(config, "text_config") || !config["text_config"].is_object()) return;
  Json text = config["text_config"];
  config.erase("text_config");
  text.erase("architectures");
  constexpr const char* kTied = "tie_word_embeddings";
  const bool disagree = present(config, kTied) && present(text, kTied) && config[kTied] != text[kTied];
  if (present(config, "num_hidden_layers")) std::swap(config, text);
  config.update(text);
  if (disagree) config.erase(kTied);
}

}  // namespace

Json normalize_config(const Json& original) {
  if (!original.is_object()) fail(ErrorKind::Corrupt, "config is no JSON object");
  Json config = original;
  take_text_part(config);
  fill_aliases(config);
  check_sizes(config);
  fill_head_sizes(config);
  normalize_rope(config);
  normalize_window(config);
  return config;
}

}  // namespace cleave::define
