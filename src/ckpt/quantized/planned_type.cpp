#include "ckpt/quantized/planned_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_field.h"
#include "base/regex.h"

namespace cleave::ckpt {
namespace {

// Keys of lists of modules that are left as they are.
constexpr std::array kLists = {"modules_to_not_convert",
                               "ignored_layers",
                               "ignore",
                               "exclude_modules",
                               "llm_int8_skip_modules",
                               "skip_modules",
                               "linear_weights_not_to_quantize"};

// Whether `pattern`, in which * stands for anything, is the text.
bool matches_glob(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, after = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*')
      star = p++, after = t;
    else if (p < pattern.size() && pattern[p] == text[t])
      ++p, ++t;
    else if (star != std::string_view::npos)
      p = star + 1, t = ++after;
    else
      return false;
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// Whether an entry of such a list names the module: by an expression, with stars, or as a part of its name.
bool names(const std::string& entry, const std::string& module, const std::string& where) {
  if (entry.starts_with("re:")) return Regex(entry.substr(3), Regex::Extent::Beginning, where).matches(module);
  if (entry.find('*') != std::string::npos) return matches_glob(entry, module) || matches_glob(entry + "*", module);
  const std::string whole = "." + module + ".";
  return whole.find("." + entry + ".") != std::string::npos || entry == module + ".weight";
}

bool is_left_out(const Quantization& quantization, const std::string& module) {
  for (const char* key : kLists) {
    const auto list = quantization.settings.find(key);
    if (list == quantization.settings.end() || !list->is_array()) continue;
    for (const Json& entry : *list)
      if (entry.is_string() && names(entry.get<std::string>(), module, quantization.where)) return true;
  }
  constexpr std::array<std::string_view, 9> kOutside = {
      "lm_head", "embed_out", "output_layer", "embed_tokens", "wte", "word_embeddings", "embed_in", ".gate", ".router"};
  const bool outside = std::ranges::any_of(kOutside, [&](std::string_view end) { return module.ends_with(end); });
  return outside && quantization.method != QuantMethod::Mlx &&
         quantization.settings.value("lm_head", Json(false)) != Json(true);
}

// Blocks of integers as large as the row allows.
std::optional<DType> integers(int bits, int64_t group, int64_t columns, bool minimum) {
  const int width = bits <= 2 ? 2 : bits <= 4 ? bits : 8;
  for (const int64_t block : {128, 64, 32})
    if (columns % block == 0 && (group == 0 || group % block == 0))
      return dtype_from_name(fmt::format("{}INT{}_G{}", minimum ? "U" : "", width, block));
  return std::nullopt;
}

std::optional<DType> float4(int64_t columns) {
  return columns % 64 == 0 ? std::optional(DType::NVFP4) : std::nullopt;
}

DType float8(int64_t columns) {
  return columns % info(DType::FP8_G128).block_elements == 0 ? DType::FP8_G128 : DType::F8_E4M3;
}

std::optional<DType> compressed(const Quantization& quantization, const std::string& module, int64_t columns) {
  const Json weights = weights_settings(quantization, module);
  if (!weights.is_object()) return std::nullopt;
  const JsonField settings(weights, quantization.where + ".config_groups: weights");
  const auto bits_field = settings.find("num_bits");
  const auto group_field = settings.find("group_size");
  const int bits = bits_field ? static_cast<int>(std::min<uint64_t>(bits_field->count(), 16)) : 8;
  const bool counted = group_field && group_field->json().is_number_unsigned();
  const int64_t group = counted ? static_cast<int64_t>(std::min<uint64_t>(group_field->count(), 1 << 30)) : 0;
  if (settings.string_or("type", "int") == "int")
    return integers(bits, group, columns, !settings.boolean_or("symmetric", true));
  if (bits == 8) return float8(columns);
  return group == 32 && columns % 32 == 0 ? DType::MXFP4 : float4(columns);
}

std::optional<DType> bitsandbytes(const Quantization& quantization, int64_t columns) {
  const Json& settings = quantization.settings;
  const bool eight = settings.value("load_in_8bit", settings.value("_load_in_8bit", Json(false))) == Json(true);
  if (eight) return integers(8, 0, columns, false);
  return columns % 64 == 0 ? std::optional(DType::NF4_G64) : std::nullopt;
}

}  // namespace

std::optional<DType> planned_type(const Quantization& quantization, const std::string& name, const Shape& shape) {
  constexpr std::string_view kWeight = ".weight";
  const std::string module = name.ends_with(kWeight) ? name.substr(0, name.size() - kWeight.size()) : name;
  if (shape.size() < 2 || is_left_out(quantization, module)) return std::nullopt;
  const int64_t columns = shape.back();
  switch (quantization.method) {
    case QuantMethod::None:
    case QuantMethod::Quark:
      return std::nullopt;
    case QuantMethod::Gptq:
    case QuantMethod::Awq:
    case QuantMethod::Mlx: {
      const IntSettings settings = int_settings(quantization, module);
      const bool minimum = quantization.method != QuantMethod::Gptq || !settings.symmetric;
      if (settings.bits > 8) return std::nullopt;
      return integers(settings.bits, settings.group, columns, minimum);
    }
    case QuantMethod::CompressedTensors:
      return compressed(quantization, module, columns);
    case QuantMethod::Fp8:
    case QuantMethod::FbgemmFp8:
      return float8(columns);
    case QuantMethod::ModelOpt: {
      const Json algorithm = quantization.settings.value("quant_algo", Json("FP8"));
      const bool fp4 = algorithm.is_string() && algorithm.get<std::string>().find("FP4") != std::string::npos;
      return fp4 ? float4(columns) : float8(columns);
    }
    case QuantMethod::BitsAndBytes:
      return bitsandbytes(quantization, columns);
    case QuantMethod::Hqq:
      return integers(4, 0, columns, true);
    case QuantMethod::Aqlm:
      return integers(2, 0, columns, false);
    case QuantMethod::Mxfp4:
      break;
  }
  return module.find("experts") != std::string::npos && columns % 32 == 0 ? std::optional(DType::MXFP4) : std::nullopt;
}

}  // namespace cleave::ckpt
