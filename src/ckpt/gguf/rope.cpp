#include "ckpt/gguf/rope.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

constexpr double kDefaultBase = 10000;  // of ggml, where the key is missing

// "none", "linear", "yarn" or "longrope". A factor without a type is linear, with its old name, too; 0 is none.
std::string scaling_type(const GgufKeys& keys) {
  if (const auto type = keys.string("rope.scaling.type")) return std::string(*type == "su" ? "longrope" : *type);
  const double factor = keys.number("rope.scaling.factor").value_or(keys.number("rope.scale_linear").value_or(0));
  return factor == 0 ? "none" : "linear";
}

void add_yarn(const GgufKeys& keys, Json& scaling) {
  const auto copy = [&](const char* gguf, const char* hf) {
    if (const auto value = keys.number(gguf)) scaling[hf] = shortest(*value);
  };
  if (const auto original = keys.integer("rope.scaling.original_context_length"))
    scaling["original_max_position_embeddings"] = *original;
  copy("rope.scaling.yarn_beta_fast", "beta_fast");
  copy("rope.scaling.yarn_beta_slow", "beta_slow");
  copy("rope.scaling.yarn_attn_factor", "attention_factor");
  // DeepSeek's converter writes a tenth of mscale_all_dim; the two scales of Hugging Face are the same in its models.
  if (const auto tenth = keys.number("rope.scaling.yarn_log_multiplier"))
    scaling["mscale"] = scaling["mscale_all_dim"] = shortest(static_cast<float>(*tenth * 10));
  // GGML multiplies yarn's own 0.1 ln(factor) + 1 by this; Hugging Face's attention_factor is the product.
  const double multiplier = keys.number("rope.scaling.attn_factor").value_or(1);
  if (multiplier != 1) scaling["attention_factor"] = multiplier * (0.1 * std::log(scaling["factor"].get<double>()) + 1);
}

void add_scaling(const GgufKeys& keys, const std::string& type, Json& config) {
  if (type != "linear" && type != "yarn")
    fail(ErrorKind::Unsupported, "{}: {} is {}, expected none, linear, yarn, or longrope with its factors", keys.file(),
         keys.key("rope.scaling.type"), in_quotes(type));
  const char* stored = keys.contains("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  const std::optional<double> factor = keys.number(stored);
  if (!factor) fail(ErrorKind::Corrupt, "{}: metadata key {} is missing", keys.file(), keys.key("rope.scaling.factor"));
  if (*factor == 0) return;
  if (!std::isfinite(*factor) || *factor < 0)
    fail(ErrorKind::Corrupt, "{}: {} is {}, expected a positive number", keys.file(), keys.key(stored), *factor);
  Json scaling = {{"rope_type", type}, {"factor", shortest(*factor)}};
  if (type == "yarn") add_yarn(keys, scaling);
  config["rope_scaling"] = scaling;
}

std::vector<double> rope_factors(const GgufKeys& keys, const char* name, int64_t rotated) {
  const auto found = keys.contents().tensors.find(name);
  if (found == keys.contents().tensors.end()) fail(ErrorKind::Corrupt, "{}: has no tensor {}", keys.file(), name);
  const TensorView& view = found->second;
  if (view.dtype != DType::F32 || view.shape != Shape{rotated / 2})
    fail(ErrorKind::Corrupt, "{}: tensor {} is {} {}, expected F32 [{}]", keys.file(), name, to_string(view.dtype),
         to_string(view.shape), rotated / 2);
  std::vector<float> factors(static_cast<size_t>(rotated / 2));
  convert_to_f32(view.dtype, view.bytes, factors);
  for (const float factor : factors)
    if (!std::isfinite(factor) || factor <= 0)
      fail(ErrorKind::Corrupt, "{}: tensor {} holds {}, expected positive numbers", keys.file(), name, factor);
  return {factors.begin(), factors.end()};
}

// Frequencies divided by stored factors: Phi-3's long and short ones, or Llama 3's smooth interpolation, which GGUF
// keeps as one list (rope_freqs) and Hugging Face's longrope expresses exactly with both lists alike.
void add_longrope(const GgufKeys& keys, const std::string& type, int64_t rotated, Json& config) {
  const bool one_list = keys.has_tensor("rope_freqs.weight");
  if (type != "none" && type != "longrope")
    fail(ErrorKind::Unsupported, "{}: {} is {}, but there are stored rope factors", keys.file(),
         keys.key("rope.scaling.type"), in_quotes(type));
  const auto context = keys.required("context_length");
  const int64_t original = keys.integer("rope.scaling.original_context_length").value_or(context);
  Json scaling = {{"rope_type", "longrope"}, {"original_max_position_embeddings", original}};
  scaling["long_factor"] = rope_factors(keys, one_list ? "rope_freqs.weight" : "rope_factors_long.weight", rotated);
  scaling["short_factor"] = rope_factors(keys, one_list ? "rope_freqs.weight" : "rope_factors_short.weight", rotated);
  const std::optional<double> attention = keys.number("rope.scaling.attn_factor");
  if (one_list || attention) scaling["attention_factor"] = shortest(attention.value_or(1));
  config["rope_scaling"] = scaling;
  config["original_max_position_embeddings"] = original;
}

}  // namespace

void add_rope(const GgufKeys& keys, Json& config) {
  if (!config.contains("head_dim")) return;  // nothing attends
  if (!keys.contains("rope.freq_base")) config["rope_theta"] = kDefaultBase;
  const auto head_dim = config["head_dim"].get<int64_t>();
  const int64_t rotated = keys.integer("rope.dimension_count").value_or(head_dim);
  if (rotated < 1 || rotated > head_dim)
    fail(ErrorKind::Unsupported, "{}: {} is {} where heads have {} elements", keys.file(),
         keys.key("rope.dimension_count"), rotated, head_dim);
  if (rotated != head_dim)
    config["partial_rotary_factor"] = static_cast<double>(rotated) / static_cast<double>(head_dim);
  if (const auto base = keys.number("rope.freq_base_swa")) config["rope_local_base_freq"] = shortest(*base);
  const std::string type = scaling_type(keys);
  if (keys.has_tensor("rope_freqs.weight") || keys.has_tensor("rope_factors_long.weight"))
    add_longrope(keys, type, rotated, config);
  else if (type != "none")
    add_scaling(keys, type, config);
}

}  // namespace cleave::ckpt
