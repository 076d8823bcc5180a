#include "ckpt/gguf/names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "ckpt/gguf/architectures.h"
#include "ckpt/gguf/config.h"
#include "ckpt/gguf/factors.h"
#include "ckpt/gguf/forms.h"
#include "ckpt/gguf/kind.h"
#include "ckpt/tensors/scaled_blocks.h"

namespace cleave::ckpt {
namespace {

// Read into the config.
constexpr std::array<std::string_view, 3> kConfigTensors = {"rope_freqs.weight", "rope_factors_long.weight",
                                                            "rope_factors_short.weight"};

// A weight smaller than this is damage: its entry in the table would take more memory than the file has bytes for it.
constexpr size_t kMinExpertBytes = 64;

constexpr int64_t kMostHeads = 1024;  // that have a norm each

// Whether the condition of a row holds: "experts", a tensor's name, a key, or "key = value".
bool holds(std::string_view condition, const GgufContents& contents, const std::string& name) {
  const GgufMetadata& metadata = contents.metadata;
  if (condition.empty()) return true;
  if (condition == "experts") return metadata.integer(name + ".expert_count").value_or(0) > 0;
  if (condition.starts_with("blk.")) return contents.tensors.find(condition) != contents.tensors.end();
  const size_t equals = condition.find(" = ");
  const std::string key = name + "." + std::string(condition.substr(0, equals));
  if (equals == std::string_view::npos) return metadata.integer(key).value_or(0) > 0;
  const std::string_view value = condition.substr(equals + 3);
  if (value == "true") return metadata.boolean(key).value_or(false);
  return std::to_string(metadata.integer(key).value_or(0)) == value;
}

GgufArchitecture architecture_of(const GgufContents& contents) {
  const GgufMetadata& metadata = contents.metadata;
  const std::optional<std::string_view> found = metadata.string("general.architecture");
  if (!found) fail(ErrorKind::Corrupt, "{}: metadata key general.architecture is missing", metadata.file());
  const std::string name(*found);
  for (GgufArchitecture& row : architectures_named(name))
    if (holds(row.condition, contents, name)) return std::move(row);
  fail(ErrorKind::Unsupported, "{}: GGUF architecture {} is not known; those known are {}", metadata.file(),
       in_quotes(name), join(gguf_architectures(), ", "));
}

// "blk.12.attn_q.weight" -> layer 12, module "attn_q", parameter "weight", and both as "attn_q.weight"; no layer for
// "output.weight"; no parameter for "blk.0.ssm_a"; expert 3 for "blk.0.ffn_up.3.weight", as old files have it.
struct ParsedName {
  std::optional<int64_t> layer;
  std::optional<int64_t> expert;
  std::string_view whole;
  std::string module;
  std::string_view parameter;
};

// The number that `text` is, in its one spelling, so that two tensors never share a name.
std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0 || std::to_string(value) != text) return std::nullopt;
  return value;
}

std::optional<ParsedName> parse_name(std::string_view name) {
  ParsedName parsed;
  constexpr std::string_view kBlock = "blk.";
  if (name.starts_with(kBlock)) {
    name.remove_prefix(kBlock.size());
    const size_t dot = name.find('.');
    parsed.layer = number(name.substr(0, dot));
    if (!parsed.layer || dot == std::string_view::npos) return std::nullopt;
    name.remove_prefix(dot + 1);
  }
  parsed.whole = name;
  const size_t dot = name.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  if (last == "weight" || last == "bias") parsed.parameter = last;
  parsed.module = parsed.parameter.empty() ? name : name.substr(0, dot);
  const size_t place = parsed.module.rfind('.');
  if (parsed.layer && place != std::string::npos && parsed.module.starts_with("ffn_")) {
    parsed.expert = number(std::string_view(parsed.module).substr(place + 1));
    if (parsed.expert) parsed.module = parsed.module.substr(0, place) + "_exps";
  }
  return parsed;
}

// `pattern` with its first {} replaced by the number.
std::string fill(std::string pattern, int64_t number) {
  const size_t brace = pattern.find("{}");
  return brace == std::string::npos ? pattern : pattern.replace(brace, 2, std::to_string(number));
}

// Rows [begin, end) of a tensor.
TensorView rows_of(const TensorView& view, int64_t begin, int64_t end) {
  const auto row = static_cast<int64_t>(view.bytes.size()) / view.shape[0];
  TensorView part = {view.dtype, view.shape,
                     view.bytes.subspan(static_cast<size_t>(begin * row), static_cast<size_t>((end - begin) * row))};
  part.shape[0] = end - begin;
  return part;
}

class TensorMapper {
 public:
  TensorMapper(const GgufContents& contents, const GgufArchitecture& architecture, const ModelSizes& sizes)
      : contents_(contents), file_(contents.metadata.file()), architecture_(architecture), sizes_(sizes) {}

  NamedTensors map() {
    for (const auto& [name, view] : contents_.tensors)
      if (std::find(kConfigTensors.begin(), kConfigTensors.end(), name) == kConfigTensors.end()) add(name, view);
    for (const KeyRule& rule : architecture_.numbers) add_numbers(rule);
    return std::move(tensors_);
  }

 private:
  void add_numbers(const KeyRule& rule) {
    const auto found = contents_.metadata.values().find(rule.gguf);
    const auto* array = found == contents_.metadata.values().end() ? nullptr : std::get_if<GgufArray>(&found->second);
    if (array == nullptr || array->type != GgufType::F32 || array->count < static_cast<uint64_t>(sizes_.num_layers))
      fail(ErrorKind::Corrupt, "{}: metadata key {} is no list of {} numbers", file_, rule.gguf, sizes_.num_layers);
    for (int64_t layer = 0; layer < sizes_.num_layers; ++layer) {
      const auto bytes = array->bytes.subspan(static_cast<size_t>(layer) * sizeof(float), sizeof(float));
      put(fill(std::string(architecture_.layers) + std::string(rule.hf), layer), {{DType::F32, {1}, bytes}});
    }
  }

  void add(const std::string& name, const TensorView& view) {
    if (is_factor(contents_, name)) return;
    factors_ = factors_of(contents_, name);
    const std::optional<ParsedName> parsed = parse_name(name);
    if (parsed && parsed->layer && *parsed->layer >= sizes_.num_layers) return check_layer(name, *parsed->layer);
    if (parsed && add_fused(name, *parsed, view)) return;
    const NameRule* rule = parsed ? find_rule(*parsed) : nullptr;
    if (rule == nullptr)
      fail(ErrorKind::Unsupported, "{}: tensor {} is not known for architecture {}", file_, in_quotes(name),
           architecture_.name);
    if (rule->stored.size() > 1 && !factors_.empty())
      fail(ErrorKind::Unsupported, "{}: tensor {} has a scale, but is joined with others; use a Q8_0 or F16 file",
           file_, in_quotes(name));
    std::vector<TensorView> stored = {view};
    if (rule->stored.size() > 1 && !collect(name, *parsed, *rule, stored)) return;
    add_targets(name, *parsed, *rule, stored);
  }

  // Layers behind the last are those of multi-token prediction, which is left out, or a mistake.
  void check_layer(const std::string& name, int64_t layer) const {
    if (layer >= sizes_.stored_layers)
      fail(ErrorKind::Corrupt, "{}: tensor {} is beyond the {} layers of the metadata", file_, in_quotes(name),
           sizes_.stored_layers);
  }

  static bool names(std::string_view stored, const ParsedName& parsed) {
    return stored == parsed.whole || stored == parsed.module;
  }

  const NameRule* find_rule(const ParsedName& parsed) const {
    const auto fits = [&](const NameRule& rule) {
      return rule.in_layer == parsed.layer.has_value() &&
             std::any_of(rule.stored.begin(), rule.stored.end(), [&](auto stored) { return names(stored, parsed); });
    };
    const auto found = std::find_if(architecture_.names.begin(), architecture_.names.end(), fits);
    return found == architecture_.names.end() ? nullptr : &*found;
  }

  // The tensors of which `name` is the first; false where it is a later one, which comes with the first.
  bool collect(const std::string& name, const ParsedName& parsed, const NameRule& rule,
               std::vector<TensorView>& stored) const {
    const auto own = std::find_if(rule.stored.begin(), rule.stored.end(), [&](auto s) { return names(s, parsed); });
    stored.clear();
    for (const std::string_view part : rule.stored) {
      std::string other = name;
      other.replace(name.rfind(*own), own->size(), part);
      const auto found = contents_.tensors.find(other);
      if (found == contents_.tensors.end())
        fail(ErrorKind::Corrupt, "{}: has tensor {} but not {}, which belongs to it", file_, in_quotes(name),
             in_quotes(other));
      stored.push_back(found->second);
    }
    return own == rule.stored.begin();
  }

  void add_targets(const std::string& name, const ParsedName& parsed, const NameRule& rule,
                   const std::vector<TensorView>& stored) {
    const FormInput input = {stored, sizes_, parsed.layer.value_or(0), name, file_};
    for (const NameRule::Target& target : rule.targets) {
      const bool whole = rule.stored[0] == parsed.whole;
      std::string hf(target.name);
      if (parsed.layer) hf = fill(std::string(architecture_.layers) + hf, *parsed.layer);
      if (!whole && !parsed.parameter.empty()) hf.append(".").append(parsed.parameter);
      if (parsed.expert)
        put(fill(hf, *parsed.expert), {stored[0]}, *parsed.expert);
      else if (target.form == "split")
        add_split(name, hf, stored[0], parsed.layer.value_or(0));
      else
        put(hf, in_form(target.form, input));
    }
  }

  // `expert`: the one of a stacked tensor that this is.
  void put(const std::string& hf, Tensor tensor, std::optional<int64_t> expert = std::nullopt) {
    if (factors_.size() > 1 && !expert && tensor.view.shape[0] != static_cast<int64_t>(factors_.size()))
      fail(ErrorKind::Unsupported, "{}: {} has {} scales but is stored in another order; use a Q8_0 or F16 file", file_,
           in_quotes(hf), factors_.size());
    if (factors_.size() > 1 && expert)
      tensor = scaled_blocks(std::move(tensor), {factors_[static_cast<size_t>(*expert)]});
    else if (!factors_.empty())
      tensor = scaled_blocks(std::move(tensor), factors_);
    if (!tensors_.emplace(hf, std::move(tensor)).second)
      fail(ErrorKind::Corrupt, "{}: two tensors are {}", file_, in_quotes(hf));
  }

  void add_split(const std::string& name, const std::string& hf, const TensorView& view, int64_t layer) {
    check_split(name, view, layer);
    for (int64_t i = 0; i < view.shape[0]; ++i) {
      TensorView part = rows_of(view, i, i + 1);
      part.shape.erase(part.shape.begin());
      put(fill(hf, i), {std::move(part)}, i);
    }
  }

  void check_split(const std::string& name, const TensorView& view, int64_t layer) const {
    if (name.find("_exps") == std::string::npos) {
      const auto at = static_cast<size_t>(layer);
      if (view.shape.size() == 2 && view.shape[0] <= kMostHeads &&
          (view.shape[0] == sizes_.heads[at] || view.shape[0] == sizes_.kv_heads[at]))
        return;
      fail(ErrorKind::Corrupt, "{}: tensor {} has shape {}, expected one row for each head", file_, in_quotes(name),
           to_string(view.shape));
    }
    if (view.shape.size() < 2 || view.shape[0] != sizes_.num_experts)
      fail(ErrorKind::Corrupt, "{}: tensor {} has shape {}, expected {} experts first", file_, in_quotes(name),
           to_string(view.shape), sizes_.num_experts);
    const size_t stride = view.bytes.size() / static_cast<size_t>(sizes_.num_experts);
    if (stride < kMinExpertBytes)
      fail(ErrorKind::Corrupt, "{}: tensor {} has {} bytes per expert, expected at least {}", file_, in_quotes(name),
           stride, kMinExpertBytes);
  }

  // Cuts what a converter has fused and the architecture has apart.
  bool add_fused(const std::string& name, const ParsedName& parsed, const TensorView& view) {
    if (!parsed.layer || find_rule(parsed) != nullptr) return false;
    if (parsed.module == "attn_qkv" && find_rule(renamed(parsed, "attn_q")) != nullptr) {
      add_qkv(name, parsed, view);
      return true;
    }
    if (parsed.module != "ffn_gate_up_exps" || find_rule(renamed(parsed, "ffn_gate_exps")) == nullptr) return false;
    check_split(name, view, *parsed.layer);
    if (view.shape[1] % 2 != 0)
      fail(ErrorKind::Corrupt, "{}: tensor {} has shape {}, expected gate and up", file_, in_quotes(name),
           to_string(view.shape));
    for (int64_t i = 0; i < view.shape[0]; ++i) {
      TensorView expert = rows_of(view, i, i + 1);
      expert.shape.erase(expert.shape.begin());
      const int64_t half = expert.shape[0] / 2;
      add_part(name, parsed, "ffn_gate_exps", rows_of(expert, 0, half), i);
      add_part(name, parsed, "ffn_up_exps", rows_of(expert, half, 2 * half), i);
    }
    return true;
  }

  static ParsedName renamed(ParsedName parsed, std::string_view module) {
    parsed.module = module;
    parsed.whole = {};
    return parsed;
  }

  void add_qkv(const std::string& name, const ParsedName& parsed, const TensorView& view) {
    const auto at = static_cast<size_t>(*parsed.layer);
    const int64_t heads = sizes_.heads[at], kv_heads = sizes_.kv_heads[at], all = heads + 2 * kv_heads;
    if (all == 0 || view.shape[0] % all != 0)
      fail(ErrorKind::Corrupt, "{}: tensor {} has {} rows, not a multiple of {} heads", file_, in_quotes(name),
           view.shape[0], all);
    const int64_t head_dim = view.shape[0] / all, q = heads * head_dim, k = q + kv_heads * head_dim;
    add_part(name, parsed, "attn_q", rows_of(view, 0, q), std::nullopt);
    add_part(name, parsed, "attn_k", rows_of(view, q, k), std::nullopt);
    add_part(name, parsed, "attn_v", rows_of(view, k, view.shape[0]), std::nullopt);
  }

  void add_part(const std::string& name, const ParsedName& parsed, std::string_view module, TensorView part,
                std::optional<int64_t> expert) {
    ParsedName own = renamed(parsed, module);
    own.expert = expert;
    if (const NameRule* rule = find_rule(own)) add_targets(name, own, *rule, {std::move(part)});
  }

  const GgufContents& contents_;
  const std::string& file_;
  const GgufArchitecture& architecture_;
  const ModelSizes& sizes_;
  std::vector<float> factors_;  // of the tensor that is being added
  NamedTensors tensors_;
};

}  // namespace

HuggingFaceView to_hugging_face(const GgufContents& contents) {
  check_is_model(contents);
  const GgufArchitecture architecture = architecture_of(contents);
  GgufConfig made = make_config(contents, architecture);
  HuggingFaceView view;
  view.tensors = TensorMapper(contents, architecture, made.sizes).map();
  view.config = std::move(made.config);
  view.generation_config = make_generation_config(contents.metadata);
  return view;
}

}  // namespace cleave::ckpt
