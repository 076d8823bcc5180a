#include "inference/embedding/sentence_modules.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/json_field.h"
#include "base/untrusted_text.h"
#include "ckpt/safetensors.h"
#include "tensor/convert.h"

namespace cleave::inference {
namespace {

namespace fs = std::filesystem;

// A JSON file of a module; an empty object where there is none.
Json read_json(const fs::path& file) {
  return is_file(file) ? parse_json(read_file(file), file.string()) : Json::object();
}

struct NamedMode {
  const char* name;  // in "pooling_mode"
  const char* flag;  // of its own, in older files
  PoolingMode mode;
};

// In the order in which their results follow one another.
constexpr NamedMode kModes[] = {
    {"cls", "pooling_mode_cls_token", PoolingMode::Cls},
    {"max", "pooling_mode_max_tokens", PoolingMode::Max},
    {"mean", "pooling_mode_mean_tokens", PoolingMode::Mean},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", PoolingMode::MeanSqrt},
    {"weightedmean", "pooling_mode_weightedmean_tokens", PoolingMode::WeightedMean},
    {"lasttoken", "pooling_mode_lasttoken", PoolingMode::Last},
};

// "mean", or a list of such names.
std::vector<std::string> names_of(const JsonField& modes) {
  if (!modes.json().is_array()) return {modes.string()};
  std::vector<std::string> names;
  for (size_t i = 0; i < modes.array().size(); ++i) names.push_back(modes.at(i).string());
  return names;
}

std::vector<PoolingMode> pooling_of(const JsonField& config) {
  std::vector<PoolingMode> modes;
  if (const auto named = config.find("pooling_mode")) {
    const std::vector<std::string> names = names_of(*named);
    for (const NamedMode& mode : kModes)
      if (std::ranges::count(names, mode.name) > 0) modes.push_back(mode.mode);
    if (modes.size() != names.size()) named->wrong("cls, max, mean, mean_sqrt_len_tokens, weightedmean or lasttoken");
    return modes;
  }
  bool any = false;
  for (const NamedMode& mode : kModes) {
    any = any || config.find(mode.flag);
    if (config.boolean_or(mode.flag, false)) modes.push_back(mode.mode);
  }
  if (modes.empty() && any) config.wrong("a pooling_mode that is true");
  return any ? modes : std::vector{PoolingMode::Mean};
}

DenseModule::Function function_named(const JsonField& config) {
  using Function = DenseModule::Function;
  const std::string path = config.string_or("activation_function", "torch.nn.modules.activation.Tanh");
  const std::string name = path.substr(path.rfind('.') + 1);
  if (name == "Identity") return Function::Identity;
  if (name == "Tanh") return Function::Tanh;
  if (name == "ReLU") return Function::Relu;
  if (name == "GELU") return Function::Gelu;
  if (name == "Sigmoid") return Function::Sigmoid;
  fail(ErrorKind::Unsupported, "{}activation_function is {}, wanted Identity, Tanh, ReLU, GELU or Sigmoid",
       config.path(), in_quotes(path));
}

std::vector<float> numbers(const ckpt::SafetensorsFile& file, const char* name, const Shape& shape) {
  const TensorView* view = file.find(name);
  const std::string path = file.file().path().string();
  if (view == nullptr) fail(ErrorKind::Corrupt, "{} has no tensor {}", path, name);
  if (!is_float(view->dtype) || view->shape != shape)
    fail(ErrorKind::Corrupt, "{}: {} is {} {}, wanted floating-point numbers of shape {}", path, name,
         to_string(view->dtype), to_string(view->shape), to_string(shape));
  std::vector<float> result(static_cast<size_t>(num_elements(shape)));
  convert_to_f32(view->dtype, view->bytes, result);
  return result;
}

DenseModule read_dense(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  const Json json = read_json(path);
  const JsonField config(json, path.string() + ": ");
  DenseModule dense{function_named(config),
                    static_cast<int64_t>(config.at("in_features").count()),
                    static_cast<int64_t>(config.at("out_features").count()),
                    {},
                    {}};
  if (!is_file(folder / "model.safetensors"))
    fail(ErrorKind::NotFound, "{} has no model.safetensors; save the model anew with a newer sentence-transformers",
         folder.string());
  const ckpt::SafetensorsFile file(folder / "model.safetensors");
  dense.weight = numbers(file, "linear.weight", {dense.outputs, dense.inputs});
  if (config.boolean_or("bias", true)) dense.bias = numbers(file, "linear.bias", {dense.outputs});
  return dense;
}

void read_pooling(const fs::path& folder, SentenceModules& modules) {
  const fs::path path = folder / "config.json";
  const Json json = read_json(path);
  const JsonField config(json, path.string() + ": ");
  modules.pooling = pooling_of(config);
  modules.pools_prompt = config.boolean_or("include_prompt", true);
}

// What is told of texts beside the model itself.
void read_limits(SentenceModules& modules) {
  for (const char* name : {"sentence_bert_config.json", "sentence_roberta_config.json", "sentence_xlnet_config.json"}) {
    const fs::path path = modules.transformer / name;
    if (!is_file(path)) continue;
    const Json json = read_json(path);
    const JsonField config(json, path.string() + ": ");
    if (const auto length = config.find("max_seq_length")) modules.max_length = static_cast<int64_t>(length->count());
    modules.lower_case = config.boolean_or("do_lower_case", false);
    return;
  }
}

void read_prompts(const fs::path& directory, SentenceModules& modules) {
  const fs::path path = directory / "config_sentence_transformers.json";
  const Json json = read_json(path);
  const JsonField config(json, path.string() + ": ");
  modules.default_prompt = config.string_or("default_prompt_name", "");
  const auto prompts = config.find("prompts");
  if (!prompts) return;
  for (const auto& [name, text] : prompts->object().items()) modules.prompts[name] = prompts->at(name).string();
  if (!modules.default_prompt.empty() && !modules.prompts.contains(modules.default_prompt))
    config.at("default_prompt_name").wrong("the name of one of the prompts");
}

// Modules behind the transformer, which comes first.
void add_module(const JsonField& entry, const fs::path& directory, SentenceModules& modules) {
  const std::string& type = entry.at("type").string();
  const std::string name = type.substr(type.rfind('.') + 1);
  const fs::path path = entry.string_or("path", "");
  if (path.is_absolute() || std::ranges::count(path, "..") > 0) entry.at("path").wrong("a folder beside modules.json");
  const fs::path folder = directory / path;
  if (name == "Transformer")
    modules.transformer = folder;
  else if (name == "Pooling")
    read_pooling(folder, modules);
  else if (name == "Dense")
    modules.layers.emplace_back(read_dense(folder));
  else if (name == "Normalize")
    modules.layers.emplace_back(NormalizeModule{});
  else if (name != "Dropout")  // does nothing once a model is trained
    fail(ErrorKind::Unsupported, "{}: module {}, wanted Transformer, Pooling, Dense, Normalize or Dropout",
         entry.path(), in_quotes(type));
}

float apply(DenseModule::Function function, float x) {
  using Function = DenseModule::Function;
  switch (function) {
    case Function::Identity:
      return x;
    case Function::Tanh:
      return std::tanh(x);
    case Function::Relu:
      return std::max(x, 0.0f);
    case Function::Gelu:
      return 0.5f * x * (1 + std::erf(x * static_cast<float>(M_SQRT1_2)));
    case Function::Sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return x;
}

std::vector<float> multiply(const DenseModule& dense, const std::vector<float>& x) {
  if (static_cast<int64_t>(x.size()) != dense.inputs)
    fail(ErrorKind::Corrupt, "a Dense module takes {} numbers, where {} come", dense.inputs, x.size());
  std::vector<float> y;
  for (size_t i = 0; i < static_cast<size_t>(dense.outputs); ++i) {
    double sum = dense.bias.empty() ? 0 : dense.bias[i];
    for (size_t k = 0; k < x.size(); ++k) sum += static_cast<double>(dense.weight[i * x.size() + k]) * x[k];
    y.push_back(apply(dense.function, static_cast<float>(sum)));
  }
  return y;
}

}  // namespace

bool SentenceModules::normalizes() const {
  return !layers.empty() && std::holds_alternative<NormalizeModule>(layers.back());
}

int64_t SentenceModules::output_width(int64_t width) const {
  width *= static_cast<int64_t>(pooling.size());
  for (const auto& layer : layers)
    if (const auto* dense = std::get_if<DenseModule>(&layer)) width = dense->outputs;
  return width;
}

bool has_sentence_modules(const fs::path& directory) {
  return is_file(directory / "modules.json");
}

SentenceModules read_sentence_modules(const fs::path& directory) {
  SentenceModules modules{.transformer = directory};
  if (has_sentence_modules(directory)) {
    const fs::path path = directory / "modules.json";
    const Json json = read_json(path);
    const JsonField list(json, path.string() + ": ");
    for (size_t i = 0; i < list.array().size(); ++i) add_module(list.at(i), directory, modules);
  }
  read_limits(modules);
  read_prompts(directory, modules);
  return modules;
}

std::vector<float> apply_layers(const SentenceModules& modules, std::vector<float> vector) {
  for (const auto& layer : modules.layers)
    if (const auto* dense = std::get_if<DenseModule>(&layer))
      vector = multiply(*dense, vector);
    else
      normalize(vector);
  return vector;
}

void normalize(std::vector<float>& vector) {
  double squares = 0;
  for (const float x : vector) squares += static_cast<double>(x) * x;
  const double length = std::max(std::sqrt(squares), 1e-12);
  for (float& x : vector) x = static_cast<float>(x / length);
}

}  // namespace cleave::inference
