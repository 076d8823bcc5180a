#include "ckpt/quantized/quantization.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json_field.h"
#include "base/mapped_file.h"
#include "base/strings.h"
#include "base/untrusted_text.h"

namespace cleave::ckpt {
namespace {

namespace fs = std::filesystem;

struct MethodName {
  std::string_view name;
  QuantMethod method;
};
constexpr std::array kMethods = {
    MethodName{"gptq", QuantMethod::Gptq},
    MethodName{"auto-round", QuantMethod::Gptq},
    MethodName{"auto_round", QuantMethod::Gptq},
    MethodName{"intel/auto-round", QuantMethod::Gptq},
    MethodName{"awq", QuantMethod::Awq},
    MethodName{"compressed-tensors", QuantMethod::CompressedTensors},
    MethodName{"compressed_tensors", QuantMethod::CompressedTensors},
    MethodName{"fp8", QuantMethod::Fp8},
    MethodName{"fbgemm_fp8", QuantMethod::FbgemmFp8},
    MethodName{"modelopt", QuantMethod::ModelOpt},
    MethodName{"quark", QuantMethod::Quark},
    MethodName{"bitsandbytes", QuantMethod::BitsAndBytes},
    MethodName{"mlx", QuantMethod::Mlx},
    MethodName{"hqq", QuantMethod::Hqq},
    MethodName{"aqlm", QuantMethod::Aqlm},
    MethodName{"mxfp4", QuantMethod::Mxfp4},
};

// What is being found, and a tensor that it is about.
struct Found {
  Quantization quantization;
  std::string packed;
};

[[noreturn]] void refuse(const Found& found, const std::string& key, const std::string& value,
                         std::string_view wanted) {
  fail(ErrorKind::Unsupported, "{}.{} is {}, which is not read{}; {}", found.quantization.where, key, in_quotes(value),
       found.packed.empty() ? "" : fmt::format(" (tensor {})", in_quotes(found.packed)), wanted);
}

bool has_any(const Json& settings, std::initializer_list<const char*> keys) {
  return std::ranges::any_of(keys, [&](const char* key) { return settings.contains(key); });
}

// The method where settings do not name it: as tools wrote before Transformers knew them, and MLX always does.
QuantMethod guess(const Json& settings) {
  if (has_any(settings, {"quant_algo", "producer"})) return QuantMethod::ModelOpt;
  if (has_any(settings, {"config_groups"})) return QuantMethod::CompressedTensors;
  if (has_any(settings, {"load_in_4bit", "load_in_8bit", "_load_in_4bit", "_load_in_8bit"}))
    return QuantMethod::BitsAndBytes;
  if (has_any(settings, {"w_bit", "zero_point"})) return QuantMethod::Awq;
  if (has_any(settings, {"desc_act", "damp_percent"})) return QuantMethod::Gptq;
  if (has_any(settings, {"bits", "mode"}) && settings.contains("group_size")) return QuantMethod::Mlx;
  return QuantMethod::None;
}

QuantMethod method_of(const Found& found_settings) {
  const Quantization& quantization = found_settings.quantization;
  const JsonField settings(quantization.settings, quantization.where + ":");
  const std::string name = settings.string_or("quant_method", "");
  if (name.empty()) return guess(quantization.settings);
  const auto* found = std::ranges::find(kMethods, name, &MethodName::name);
  if (found != kMethods.end()) return found->method;
  std::vector<std::string> known;
  for (const MethodName& method : kMethods) known.emplace_back(method.name);
  refuse(found_settings, "quant_method", name, "wanted one of " + join(known, ", "));
}

// AutoRound writes the layouts of other tools.
void resolve_auto_round(Found& found, const JsonField& settings) {
  if (!settings.string_or("quant_method", "").ends_with("round")) return;
  const std::string packing = settings.string_or("packing_format", "auto_round");
  if (packing == "auto_round:auto_awq" || packing == "auto_round:awq")
    found.quantization.method = QuantMethod::Awq;
  else if (packing == "auto_round:llm_compressor")
    found.quantization.method = QuantMethod::CompressedTensors;
  else if (packing != "auto_round" && packing != "auto_round:gptqmodel" && packing != "auto_round:auto_gptq" &&
           packing != "auto_round:gptq")
    refuse(found, "packing_format", packing, "wanted auto_round:auto_gptq, auto_round or auto_round:auto_awq");
}

// Layouts that are made for the kernels of one GPU, or change more than how weights are stored.
void refuse_variants(const Found& found, const JsonField& settings) {
  const auto refuse_value = [&](const char* key, std::initializer_list<std::string_view> values) {
    const auto field = settings.find(key);
    if (!field || !field->json().is_string()) return;
    if (std::ranges::count(values, field->string()) > 0)
      refuse(found, key, field->string(), "convert it with the tool that made it");
  };
  refuse_value("checkpoint_format", {"marlin", "gptq_marlin", "gptq_p", "bitblas", "qqq"});
  refuse_value("format", {"marlin", "gptq_marlin", "gptq_p", "bitblas", "qqq", "marlin-24", "sparse-24-bitmask",
                          "sparse-bitmask"});
  refuse_value("version", {"gemv_fast"});
  if (settings.boolean_or("is_marlin_format", false))
    refuse(found, "is_marlin_format", "true", "convert it with the tool that made it");
  if (const auto transform = settings.find("transform_config");
      transform && transform->json().is_object() && !transform->json().empty())
    fail(ErrorKind::Unsupported, "{}.transform_config is not empty: rotations of weights are not read",
         found.quantization.where);
  if (const auto sparsity = settings.find("sparsity_config"); sparsity && sparsity->json().is_object())
    if (const std::string format = sparsity->string_or("format", "dense"); format != "dense")
      refuse(found, "sparsity_config.format", format, "wanted dense weights");
}

Quantization checked(Json settings, std::string where, const std::string& packed) {
  Found found;
  found.quantization.settings = std::move(settings);
  found.quantization.where = std::move(where);
  found.packed = packed;
  const JsonField field(found.quantization.settings, found.quantization.where + ":");
  field.object();
  found.quantization.method = method_of(found);
  resolve_auto_round(found, field);
  refuse_variants(found, field);
  return std::move(found.quantization);
}

std::optional<Quantization> find_in(const Json& config, const std::string& where, const std::string& packed) {
  for (const char* key : {"quantization_config", "compression_config", "quantization"}) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null() || (found->is_object() && found->empty())) continue;
    return checked(*found, where + key, packed);
  }
  return std::nullopt;
}

// A few settings, or a list of all modules of a large model.
Json read_settings_file(const fs::path& path) {
  constexpr size_t kMaxBytes = 20'000'000;
  const MappedFile file(path);
  if (file.bytes().size() > kMaxBytes)
    fail(ErrorKind::Corrupt, "{} has {} bytes, wanted at most {}", path.string(), file.bytes().size(), kMaxBytes);
  return parse_json(file.text(), path.string());
}

std::optional<Quantization> find_in_files(const fs::path& directory, const std::string& packed) {
  struct File {
    const char* name;
    QuantMethod method;
  };
  constexpr std::array kFiles = {File{"quantize_config.json", QuantMethod::Gptq},
                                 File{"quant_config.json", QuantMethod::Awq},
                                 File{"hf_quant_config.json", QuantMethod::ModelOpt}};
  for (const File& file : kFiles) {
    if (directory.empty() || !is_there(directory / file.name)) continue;
    Json settings = read_settings_file(directory / file.name);
    if (!settings.is_object()) fail(ErrorKind::Corrupt, "{}: expected a JSON object", (directory / file.name).string());
    if (const auto inner = settings.find("quantization"); inner != settings.end() && inner->is_object())
      settings = Json(*inner);
    Quantization quantization = checked(std::move(settings), file.name, packed);
    if (!quantization.settings.contains("quant_method")) quantization.method = file.method;
    return quantization;
  }
  return std::nullopt;
}

}  // namespace

Quantization find_quantization(const Json& config, const fs::path& directory, const std::string& packed) {
  if (std::optional<Quantization> found = find_in(config, "config.json: ", packed)) return *std::move(found);
  if (const auto text = config.find("text_config"); text != config.end() && text->is_object())
    if (std::optional<Quantization> found = find_in(*text, "config.json: text_config.", packed))
      return *std::move(found);
  if (std::optional<Quantization> found = find_in_files(directory, packed)) return *std::move(found);
  return {};
}

}  // namespace cleave::ckpt
