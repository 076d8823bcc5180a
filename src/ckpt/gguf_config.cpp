#include "ckpt/gguf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

// Metadata key, behind the architecture's name and a dot, and the config key. Integers.
struct IntegerKey {
  std::string_view gguf;
  const char* hf;
  bool required;
};
constexpr std::array kIntegers = {
    IntegerKey{"block_count", "num_hidden_layers", true},
    IntegerKey{"context_length", "max_position_embeddings", true},
    IntegerKey{"embedding_length", "hidden_size", true},
    IntegerKey{"attention.head_count", "num_attention_heads", true},
    IntegerKey{"feed_forward_length", "intermediate_size", false},
    IntegerKey{"attention.head_count_kv", "num_key_value_heads", false},
    IntegerKey{"attention.key_length", "head_dim", false},
    IntegerKey{"attention.sliding_window", "sliding_window", false},
    IntegerKey{"expert_count", "num_local_experts", false},
    IntegerKey{"expert_used_count", "num_experts_per_tok", false},
    IntegerKey{"expert_feed_forward_length", "moe_intermediate_size", false},
    IntegerKey{"expert_shared_feed_forward_length", "shared_expert_intermediate_size", false},
};

// The same for real numbers.
constexpr std::array kNumbers = {
    std::pair{"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    std::pair{"attention.layer_norm_epsilon", "layer_norm_eps"},
    std::pair{"rope.freq_base", "rope_theta"},
};

// No model has a dimension beyond this; larger values are damage.
constexpr int64_t kMaxInteger = std::numeric_limits<int32_t>::max();

// What a person would have written: 1e-05 for the f32 nearest to it.
double shortest(double value) {
  const auto narrow = static_cast<float>(value);
  return static_cast<double>(narrow) == value ? std::strtod(fmt::format("{}", narrow).c_str(), nullptr) : value;
}

class ConfigMaker {
 public:
  ConfigMaker(const GgufContents& contents, const GgufArchitecture& architecture)
      : contents_(contents), metadata_(contents.metadata), file_(metadata_.file()), architecture_(architecture) {}

  GgufConfig make() {
    config_ = Json::parse(architecture_.constants);
    config_["architectures"] = {architecture_.hf_class};
    config_["model_type"] = architecture_.model_type;
    add_plain_keys();
    add_heads();
    add_from_tensors();
    add_rope();
    if (architecture_.name == "llama" && !architecture_.experts && config_.contains("sliding_window")) {
      config_["architectures"] = {"MistralForCausalLM"};
      config_["model_type"] = "mistral";
    }
    if (const auto norm = metadata_.boolean(key("expert_weights_norm"))) config_["norm_topk_prob"] = *norm;
    config_.update(make_generation_config(metadata_));
    const ModelSizes sizes = {config_["num_hidden_layers"], config_["num_attention_heads"],
                              config_["num_key_value_heads"], config_.value("num_local_experts", int64_t{0})};
    for (const KeyRename& rename : architecture_.renames) {
      const std::string common(rename.common);
      if (!config_.contains(common)) continue;
      config_[std::string(rename.hf)] = std::move(config_[common]);
      config_.erase(common);
    }
    return {std::move(config_), sizes};
  }

 private:
  std::string key(std::string_view suffix) const { return fmt::format("{}.{}", architecture_.name, suffix); }

  // An integer, or an array of one value per layer that are all the same.
  std::optional<int64_t> integer(std::string_view suffix) const {
    const std::string name = key(suffix);
    std::optional<int64_t> value;
    const auto found = metadata_.values().find(name);
    if (found != metadata_.values().end() && std::holds_alternative<GgufArray>(found->second)) {
      const std::vector<int64_t> values = *metadata_.integers(name);
      if (values.empty() || std::any_of(values.begin(), values.end(), [&](int64_t x) { return x != values[0]; }))
        fail(ErrorKind::Unsupported, "{}: {} differs between layers, which Cleave does not read", file_, name);
      value = values[0];
    } else {
      value = metadata_.integer(name);
    }
    if (value && (*value < 0 || *value > kMaxInteger))
      fail(ErrorKind::Corrupt, "{}: {} is {}, expected 0 to {}", file_, name, *value, kMaxInteger);
    return value;
  }

  void add_plain_keys() {
    for (const IntegerKey& entry : kIntegers) {
      const std::optional<int64_t> value = integer(entry.gguf);
      if (entry.required && value.value_or(0) == 0)
        fail(ErrorKind::Corrupt, "{}: metadata key {} is {}", file_, key(entry.gguf), value ? "0" : "missing");
      if (value.value_or(0) != 0) config_[entry.hf] = *value;  // 0 says "none": sliding_window of phi3
    }
    for (const auto& [gguf, hf] : kNumbers)
      if (const std::optional<double> value = metadata_.number(key(gguf))) config_[hf] = shortest(*value);
  }

  void add_heads() {
    const auto hidden = config_["hidden_size"].get<int64_t>();
    const auto heads = config_["num_attention_heads"].get<int64_t>();
    if (!config_.contains("num_key_value_heads")) config_["num_key_value_heads"] = heads;
    if (!config_.contains("head_dim")) {
      if (hidden % heads != 0)
        fail(ErrorKind::Corrupt, "{}: {} is {}, not a multiple of the {} heads", file_, key("embedding_length"), hidden,
             heads);
      config_["head_dim"] = hidden / heads;
    }
    const std::optional<int64_t> value_length = integer("attention.value_length");
    if (value_length && config_["head_dim"] != *value_length)
      fail(ErrorKind::Unsupported, "{}: values of {} elements but keys of {}, which Cleave does not read", file_,
           *value_length, config_["head_dim"].get<int64_t>());
    if (architecture_.name == "falcon" && config_["num_key_value_heads"] != 1)
      fail(ErrorKind::Unsupported,
           "{}: falcon with {} KV heads: its fused query, key and value rows are stored in another order than Hugging "
           "Face's; "
           "use the Hugging Face directory",
           file_, config_["num_key_value_heads"].get<int64_t>());
  }

  bool has_tensor(const char* name) const { return contents_.tensors.find(name) != contents_.tensors.end(); }

  void add_from_tensors() {
    const auto embedding = contents_.tensors.find("token_embd.weight");
    if (embedding == contents_.tensors.end()) fail(ErrorKind::Corrupt, "{}: has no tensor token_embd.weight", file_);
    const Shape& shape = embedding->second.shape;
    if (shape.size() != 2 || shape[1] != config_["hidden_size"])
      fail(ErrorKind::Corrupt, "{}: tensor token_embd.weight has shape {}, but {} is {}", file_, to_string(shape),
           key("embedding_length"), config_["hidden_size"].get<int64_t>());
    config_["vocab_size"] = shape[0];
    config_["tie_word_embeddings"] = !has_tensor("output.weight");
    config_["attention_bias"] = has_tensor("blk.0.attn_q.bias") || has_tensor("blk.0.attn_qkv.bias");
    config_["mlp_bias"] = has_tensor("blk.0.ffn_up.bias");
  }

  void add_rope() {
    const auto head_dim = config_["head_dim"].get<int64_t>();
    const int64_t rotated = integer("rope.dimension_count").value_or(head_dim);
    const bool interleaved = std::any_of(architecture_.layer_rules.begin(), architecture_.layer_rules.end(),
                                         [](const NameRule& rule) { return rule.role == Role::InterleavedQ; });
    if (rotated < 1 || rotated > head_dim || (interleaved && rotated != head_dim))
      fail(ErrorKind::Unsupported, "{}: {} is {} where heads have {} elements", file_, key("rope.dimension_count"),
           rotated, head_dim);
    if (rotated != head_dim)
      config_["partial_rotary_factor"] = static_cast<double>(rotated) / static_cast<double>(head_dim);
    const std::string type(metadata_.string(key("rope.scaling.type")).value_or("none"));
    if (has_tensor("rope_freqs.weight") || has_tensor("rope_factors_long.weight"))
      add_longrope(type, rotated);
    else if (type != "none")
      add_scaling(type);
  }

  void add_scaling(const std::string& type) {
    if (type != "linear" && type != "yarn")
      fail(ErrorKind::Unsupported, "{}: {} is {}, expected none, linear, yarn, or longrope with its factors", file_,
           key("rope.scaling.type"), in_quotes(type));
    Json scaling = {{"rope_type", type}};
    const auto copy = [&](const char* gguf, const char* hf) {
      if (const auto value = metadata_.number(key(gguf))) scaling[hf] = shortest(*value);
    };
    copy("rope.scaling.factor", "factor");
    if (!scaling.contains("factor"))
      fail(ErrorKind::Corrupt, "{}: metadata key {} is missing", file_, key("rope.scaling.factor"));
    if (type == "yarn") {
      if (const auto original = integer("rope.scaling.original_context_length"))
        scaling["original_max_position_embeddings"] = *original;
      copy("rope.scaling.yarn_beta_fast", "beta_fast");
      copy("rope.scaling.yarn_beta_slow", "beta_slow");
      // GGML multiplies yarn's own 0.1 ln(factor) + 1 by this; Hugging Face's attention_factor is the product.
      const double multiplier = metadata_.number(key("rope.scaling.attn_factor")).value_or(1);
      if (multiplier != 1)
        scaling["attention_factor"] = multiplier * (0.1 * std::log(scaling["factor"].get<double>()) + 1);
    }
    config_["rope_scaling"] = scaling;
  }

  // Frequencies divided by stored factors: Phi-3's long and short ones, or Llama 3's smooth interpolation, which GGUF
  // keeps as one list (rope_freqs) and Hugging Face's longrope expresses exactly with both lists alike.
  void add_longrope(const std::string& type, int64_t rotated) {
    const bool one_list = has_tensor("rope_freqs.weight");
    if (type != "none" && type != "longrope" && type != "su")
      fail(ErrorKind::Unsupported, "{}: {} is {}, but there are stored rope factors", file_, key("rope.scaling.type"),
           in_quotes(type));
    const auto context = config_["max_position_embeddings"].get<int64_t>();
    const int64_t original = integer("rope.scaling.original_context_length").value_or(context);
    Json scaling = {{"rope_type", "longrope"}, {"original_max_position_embeddings", original}};
    scaling["long_factor"] = rope_factors(one_list ? "rope_freqs.weight" : "rope_factors_long.weight", rotated);
    scaling["short_factor"] = rope_factors(one_list ? "rope_freqs.weight" : "rope_factors_short.weight", rotated);
    const std::optional<double> attention = metadata_.number(key("rope.scaling.attn_factor"));
    if (one_list || attention) scaling["attention_factor"] = shortest(attention.value_or(1));
    config_["rope_scaling"] = scaling;
    config_["original_max_position_embeddings"] = original;
  }

  std::vector<double> rope_factors(const char* name, int64_t rotated) const {
    const auto found = contents_.tensors.find(name);
    if (found == contents_.tensors.end()) fail(ErrorKind::Corrupt, "{}: has no tensor {}", file_, name);
    const TensorView& view = found->second;
    if (view.dtype != DType::F32 || view.shape != Shape{rotated / 2})
      fail(ErrorKind::Corrupt, "{}: tensor {} is {} {}, expected F32 [{}]", file_, name, to_string(view.dtype),
           to_string(view.shape), rotated / 2);
    std::vector<float> factors(static_cast<size_t>(rotated / 2));
    convert_to_f32(view.dtype, view.bytes, factors);
    for (const float factor : factors)
      if (!std::isfinite(factor) || factor <= 0)
        fail(ErrorKind::Corrupt, "{}: tensor {} holds {}, expected positive numbers", file_, name, factor);
    return {factors.begin(), factors.end()};
  }

  const GgufContents& contents_;
  const GgufMetadata& metadata_;
  const std::string& file_;
  const GgufArchitecture& architecture_;
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
