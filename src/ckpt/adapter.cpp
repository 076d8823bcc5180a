#include "ckpt/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "ckpt/config.h"
#include "ckpt/safetensors.h"
#include "ckpt/tensors/low_rank.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

namespace fs = std::filesystem;

constexpr double kDefaultAlpha = 8;  // lora_alpha of PEFT's LoraConfig

// Settings that make a LoRA more than W + scale * B A, wherever they are neither false nor empty.
constexpr std::array<const char*, 7> kUnread = {
    "use_dora",    "lora_bias", "use_qalora", "layer_replication", "alora_invocation_tokens", "trainable_token_indices",
    "arrow_config"};
// Ways to begin a training that leave the base's weights alone.
constexpr std::array<std::string_view, 3> kPlainBeginnings = {"gaussian", "eva", "orthogonal"};

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  fail(ErrorKind::Unsupported,
       "{}: {}, which Cleave does not apply; merge the adapter with its model (PEFT's merge_and_unload), or move its "
       "files away to run the model without it",
       file, what);
}

bool is_set(const Json& config, const char* key) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return false;
  return !(found->is_boolean() && !found->get<bool>()) && !(found->is_structured() && found->empty());
}

void check_kind(const Json& config, const std::string& file) {
  const Json type = config.value("peft_type", Json());
  if (type != "LORA") refuse(file, fmt::format("peft_type is {}", in_quotes(type.dump(), '\'')));
  for (const char* key : kUnread)
    if (is_set(config, key)) refuse(file, fmt::format("{} is {}", key, in_quotes(config[key].dump(), '\'')));
  const Json beginning = config.value("init_lora_weights", Json());
  if (beginning.is_string() && std::ranges::count(kPlainBeginnings, beginning.get<std::string>()) == 0)
    refuse(file, fmt::format("init_lora_weights is {}", in_quotes(beginning.dump(), '\'')));
}

double number(const Json& value, const char* key, const std::string& file) {
  if (!value.is_number())
    fail(ErrorKind::Corrupt, "{}: {} is {}, wanted a number", file, key, in_quotes(value.dump(), '\''));
  return value.get<double>();
}

// Whether a path ends in these whole segments.
bool ends_in_segments(std::string_view path, std::string_view end) {
  return path.ends_with(end) && (path.size() == end.size() || path[path.size() - end.size() - 1] == '.');
}

// Whether a key of alpha_pattern names a module: by the last segments of its path. Other regular expressions are
// refused.
bool names_module(const std::string& pattern, const std::string& module, const std::string& file) {
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; };
  if (!std::ranges::all_of(pattern, is_plain)) refuse(file, "alpha_pattern has the key " + in_quotes(pattern));
  return ends_in_segments(module, pattern);
}

/// The narrow matrices of one module, as stored.
struct Pair {
  const TensorView* a = nullptr;
  const TensorView* b = nullptr;
  bool is_embedding = false;
};

std::vector<float> to_floats(const TensorView& view) {
  std::vector<float> numbers(static_cast<size_t>(num_elements(view.shape)));
  convert_to_f32(view.dtype, view.bytes, numbers);
  return numbers;
}

// [rows, columns] as [columns, rows].
std::vector<float> transposed(const std::vector<float>& from, int64_t rows, int64_t columns) {
  std::vector<float> to(from.size());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      to[static_cast<size_t>(c * rows + r)] = from[static_cast<size_t>(r * columns + c)];
  return to;
}

/// One adapter at work on the tensors of a model.
class Adapter {
 public:
  Adapter(const Json& config, std::string config_file, std::string file, NamedTensors& tensors)
      : config_(config), config_file_(std::move(config_file)), file_(std::move(file)), tensors_(tensors) {}

  // Takes everything that the file has.
  void apply(const SafetensorsContents& contents) {
    if (!contents.unread.empty()) {
      const auto& [name, info] = *contents.unread.begin();
      refuse(file_, fmt::format("tensor {} is of type {}", in_quotes(name), in_quotes(info.unread_type)));
    }
    for (const auto& [name, view] : contents.tensors) {
      if (!is_float(view.dtype)) refuse(file_, fmt::format("tensor {} is {}", in_quotes(name), to_string(view.dtype)));
      take(name, view);
    }
    for (const auto& [module, pair] : pairs_) add(module, pair);
  }

  size_t num_changed() const { return pairs_.size(); }
  size_t num_replaced() const { return num_replaced_; }

 private:
  void take(const std::string& stored, const TensorView& view) {
    std::string name = stored;
    if (name.starts_with("base_model.model.")) name.erase(0, std::string_view("base_model.model.").size());
    const size_t mark = name.find(".lora_");
    if (mark == std::string::npos) return replace(name, view);
    const std::string module = name.substr(0, mark);
    std::string_view part = std::string_view(name).substr(mark + std::string_view(".lora_").size());
    const bool is_embedding = part.starts_with("embedding_");
    if (is_embedding) part.remove_prefix(std::string_view("embedding_").size());
    const bool is_a = part.starts_with("A"), is_b = part.starts_with("B");
    const std::string_view rest = is_a || is_b ? part.substr(1) : part;
    const bool known = rest.empty() || rest == ".weight" || rest == ".default" || rest == ".default.weight";
    if (!known || is_a == is_b) refuse(file_, "it has the tensor " + in_quotes(stored));
    Pair& pair = pairs_[module];
    (is_a ? pair.a : pair.b) = &view;
    pair.is_embedding = is_embedding;
  }

  // A tensor that is saved whole. A head may be the model's first of its own.
  void replace(std::string name, const TensorView& view) {
    for (const std::string_view inner : {".modules_to_save.default", ".modules_to_save", ".base_layer"})
      if (const size_t at = name.find(inner); at != std::string::npos) name.erase(at, inner.size());
    Tensor* old = find(name);
    if (old != nullptr && old->view.shape != view.shape)
      fail(ErrorKind::Corrupt, "{}: tensor {} is {}, the model's {}", file_, in_quotes(name), to_string(view.shape),
           to_string(old->view.shape));
    if (old == nullptr && name != "lm_head.weight") missing(name);
    (old != nullptr ? *old : tensors_[name]) = Tensor{view};
    ++num_replaced_;
  }

  // The model's tensor of that name. Classes of text and images have had several names for the part before the layers:
  // up to two leading segments may differ where only one tensor ends alike.
  Tensor* find(const std::string& name) {
    if (const auto exact = tensors_.find(name); exact != tensors_.end()) return &exact->second;
    std::string_view rest = name;
    for (int dropped = 0; dropped < 2; ++dropped) {
      const size_t dot = rest.find('.');
      if (dot == std::string_view::npos || rest.find('.', dot + 1) == std::string_view::npos) return nullptr;
      rest.remove_prefix(dot + 1);
      std::vector<Tensor*> alike;
      for (auto& [stored, tensor] : tensors_)
        if (ends_in_segments(stored, rest)) alike.push_back(&tensor);
      if (!alike.empty()) return alike.size() == 1 ? alike[0] : nullptr;
    }
    return nullptr;
  }

  [[noreturn]] void missing(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& [stored, tensor] : tensors_) names.push_back(stored);
    const std::vector<std::string> near = nearest_names(name, names);
    fail(ErrorKind::NotFound, "{} changes weight {}, which the model does not have{}; is it this model's adapter?",
         file_, in_quotes(name), near.empty() ? "" : fmt::format(" (nearest: {})", join(near, ", ")));
  }

  void add(const std::string& module, const Pair& pair) {
    if (pair.a == nullptr || pair.b == nullptr)
      fail(ErrorKind::Corrupt, "{}: module {} has only one of the matrices A and B", file_, in_quotes(module));
    Tensor* weight = find(module + ".weight");
    if (weight == nullptr) missing(module + ".weight");
    const bool swapped = pair.is_embedding || is_set(config_, "fan_in_fan_out");
    const Shape &a = pair.a->shape, &b = pair.b->shape, &w = weight->view.shape;
    const bool fits = a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[0] > 0 &&
                      w == (swapped ? Shape{a[1], b[0]} : Shape{b[0], a[1]});
    if (!fits)
      fail(ErrorKind::Corrupt, "{}: A {} and B {} of module {} do not fit its weight {}", file_, to_string(a),
           to_string(b), in_quotes(module), to_string(w));
    LowRankChange change{a[0], to_floats(*pair.b), to_floats(*pair.a)};
    if (swapped) change = {a[0], transposed(change.right, a[0], a[1]), transposed(change.left, b[0], b[1])};
    const auto scale = static_cast<float>(scale_of(module, a[0]));
    for (float& value : change.left) value *= scale;
    *weight = with_low_rank_change(std::move(*weight), std::move(change));
  }

  // What B A is multiplied with. The width of the matrices is as stored, whatever r and rank_pattern say.
  double scale_of(const std::string& module, int64_t width) const {
    const auto r = static_cast<double>(width);
    return alpha_of(module) / (is_set(config_, "use_rslora") ? std::sqrt(r) : r);
  }

  double alpha_of(const std::string& module) const {
    std::optional<double> own;
    if (is_set(config_, "alpha_pattern"))
      for (const auto& [pattern, value] : config_["alpha_pattern"].items()) {
        if (!names_module(pattern, module, config_file_)) continue;
        const double alpha = number(value, "alpha_pattern", config_file_);
        if (own && *own != alpha) refuse(config_file_, "alpha_pattern has two values for module " + in_quotes(module));
        own = alpha;
      }
    if (own) return *own;
    return is_set(config_, "lora_alpha") ? number(config_["lora_alpha"], "lora_alpha", config_file_) : kDefaultAlpha;
  }

  const Json& config_;
  std::string config_file_, file_;
  NamedTensors& tensors_;
  std::map<std::string, Pair> pairs_;  // by module
  size_t num_replaced_ = 0;
};

}  // namespace

std::string apply_adapter(const fs::path& directory, NamedTensors& tensors, std::vector<MappedFile>& files) {
  const fs::path config_path = directory / "adapter_config.json";
  if (!is_there(config_path)) return "";
  const Json config = read_config(config_path);
  check_kind(config, config_path.string());
  const fs::path path = directory / "adapter_model.safetensors";
  if (!is_there(path)) refuse(config_path.string(), "there is no adapter_model.safetensors beside it");
  const SafetensorsContents contents = parse_safetensors(files.emplace_back(path).bytes(), path.string());
  Adapter adapter(config, config_path.string(), path.string(), tensors);
  adapter.apply(contents);
  const Json base = config.value("base_model_name_or_path", Json());
  return fmt::format("the adapter beside the model{} is applied: {} weights changed, {} replaced",
                     base.is_string() ? ", made for " + in_quotes(base.get<std::string>()) + "," : "",
                     adapter.num_changed(), adapter.num_replaced());
}

}  // namespace cleave::ckpt
