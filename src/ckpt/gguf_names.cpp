#include "ckpt/gguf_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "ckpt/gguf_architectures.h"
#include "ckpt/gguf_config.h"
#include "ckpt/tensors/permuted_rows.h"

namespace cleave::ckpt {
namespace {

// Read into the config.
constexpr std::array<std::string_view, 3> kConfigTensors = {"rope_freqs.weight", "rope_factors_long.weight",
                                                            "rope_factors_short.weight"};

// A weight smaller than this is damage: its entry in the table would take more memory than the file has bytes for it.
constexpr size_t kMinExpertBytes = 64;

const GgufArchitecture& architecture_of(const GgufMetadata& metadata) {
  const std::optional<std::string_view> found = metadata.string("general.architecture");
  if (!found) fail(ErrorKind::Corrupt, "{}: metadata key general.architecture is missing", metadata.file());
  const std::string name(*found);
  const bool experts = metadata.contains(name + ".expert_count") && *metadata.integer(name + ".expert_count") > 0;
  for (const GgufArchitecture& architecture : known_architectures())
    if (architecture.name == name && architecture.experts == experts) return architecture;
  for (const RefusedArchitecture& refused : refused_architectures())
    if (refused.name == name)
      fail(ErrorKind::Unsupported, "{}: GGUF files of architecture {} are not read: {}; use the Hugging Face directory",
           metadata.file(), name, refused.reason);
  fail(ErrorKind::Unsupported, "{}: GGUF architecture {} {} experts is not known; those known are {}", metadata.file(),
       in_quotes(name), experts ? "with" : "without", join(gguf_architectures(), ", "));
}

// "blk.12.attn_q.weight" -> layer 12, module "attn_q", parameter "weight"; no layer for "output.weight".
struct ParsedName {
  std::optional<int64_t> layer;
  std::string_view module;
  std::string_view parameter;
};

std::optional<ParsedName> parse_name(std::string_view name) {
  ParsedName parsed;
  constexpr std::string_view kBlock = "blk.";
  if (name.substr(0, kBlock.size()) == kBlock) {
    name.remove_prefix(kBlock.size());
    int64_t layer = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
    const auto digits = static_cast<size_t>(end - name.data());
    if (error != std::errc() || layer < 0 || digits == name.size() || name[digits] != '.') return std::nullopt;
    // One spelling per number, so that two tensors never share a name.
    if (name.substr(0, digits) != std::to_string(layer)) return std::nullopt;
    parsed.layer = layer;
    name.remove_prefix(digits + 1);
  }
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  parsed.module = name.substr(0, dot);
  parsed.parameter = name.substr(dot + 1);
  if (parsed.parameter != "weight" && parsed.parameter != "bias") return std::nullopt;
  return parsed;
}

// `pattern` with its first {} replaced by the number.
std::string fill(std::string pattern, int64_t number) {
  const size_t brace = pattern.find("{}");
  return brace == std::string::npos ? pattern : pattern.replace(brace, 2, std::to_string(number));
}

// Stored rows in Hugging Face's order: GGML has them as heads x (d/2) x 2 in llama's q and k, Hugging Face as heads x 2
// x (d/2).
std::vector<int64_t> interleaved_rows(int64_t rows, int64_t heads) {
  const int64_t head_dim = rows / heads, half = head_dim / 2;
  std::vector<int64_t> order;
  order.reserve(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t in_head = row % head_dim;
    order.push_back(row - in_head + in_head % half * 2 + in_head / half);
  }
  return order;
}

class TensorMapper {
 public:
  TensorMapper(const GgufContents& contents, const GgufArchitecture& architecture, const ModelSizes& sizes)
      : contents_(contents), file_(contents.metadata.file()), architecture_(architecture), sizes_(sizes) {}

  NamedTensors map() {
    for (const auto& [name, view] : contents_.tensors)
      if (std::find(kConfigTensors.begin(), kConfigTensors.end(), name) == kConfigTensors.end()) add(name, view);
    return std::move(tensors_);
  }

 private:
  void add(const std::string& name, const TensorView& view) {
    const std::optional<ParsedName> parsed = parse_name(name);
    const NameRule* rule = parsed ? find_rule(*parsed) : nullptr;
    if (rule == nullptr)
      fail(ErrorKind::Unsupported, "{}: tensor {} is not known for architecture {}", file_, in_quotes(name),
           architecture_.name);
    if (parsed->layer && *parsed->layer >= sizes_.num_layers)
      fail(ErrorKind::Corrupt, "{}: tensor {} is beyond the {} layers of the metadata", file_, in_quotes(name),
           sizes_.num_layers);
    std::string hf(rule->hf);
    if (parsed->layer) hf = fill(std::move(hf), *parsed->layer);
    hf.append(".").append(parsed->parameter);
    switch (rule->role) {
      case Role::Plain:
        tensors_[hf] = {view};
        return;
      case Role::InterleavedQ:
        return add_interleaved(name, hf, view, sizes_.num_heads);
      case Role::InterleavedK:
        return add_interleaved(name, hf, view, sizes_.num_kv_heads);
      case Role::Experts:
        return add_experts(name, hf, view);
      case Role::Row:
        return add_row(hf, view);
    }
  }

  const NameRule* find_rule(const ParsedName& parsed) const {
    const auto& rules = parsed.layer ? architecture_.layer_rules : architecture_.model_rules;
    const auto found =
        std::find_if(rules.begin(), rules.end(), [&](const NameRule& rule) { return rule.gguf == parsed.module; });
    return found == rules.end() ? nullptr : &*found;
  }

  void add_interleaved(const std::string& name, const std::string& hf, const TensorView& view, int64_t heads) {
    if (view.shape[0] % (2 * heads) != 0)
      fail(ErrorKind::Corrupt, "{}: tensor {} has {} rows, not a multiple of twice the {} heads", file_,
           in_quotes(name), view.shape[0], heads);
    tensors_[hf] = permuted_rows(view, interleaved_rows(view.shape[0], heads));
  }

  void add_experts(const std::string& name, const std::string& hf, const TensorView& view) {
    if (view.shape.size() < 2 || view.shape[0] != sizes_.num_experts)
      fail(ErrorKind::Corrupt, "{}: tensor {} has shape {}, expected {} experts first", file_, in_quotes(name),
           to_string(view.shape), sizes_.num_experts);
    const size_t stride = view.bytes.size() / static_cast<size_t>(sizes_.num_experts);
    if (stride < kMinExpertBytes)
      fail(ErrorKind::Corrupt, "{}: tensor {} has {} bytes per expert, expected at least {}", file_, in_quotes(name),
           stride, kMinExpertBytes);
    for (int64_t expert = 0; expert < sizes_.num_experts; ++expert) {
      const auto bytes = view.bytes.subspan(static_cast<size_t>(expert) * stride, stride);
      tensors_[fill(hf, expert)] = {{view.dtype, Shape(view.shape.begin() + 1, view.shape.end()), bytes}};
    }
  }

  void add_row(const std::string& hf, TensorView view) {
    if (view.shape.size() == 1) view.shape.insert(view.shape.begin(), 1);
    tensors_[hf] = {std::move(view)};
  }

  const GgufContents& contents_;
  const std::string& file_;
  const GgufArchitecture& architecture_;
  const ModelSizes& sizes_;
  NamedTensors tensors_;
};

}  // namespace

HuggingFaceView to_hugging_face(const GgufContents& contents) {
  const GgufArchitecture& architecture = architecture_of(contents.metadata);
  GgufConfig made = make_config(contents, architecture);
  HuggingFaceView view;
  view.tensors = TensorMapper(contents, architecture, made.sizes).map();
  view.config = std::move(made.config);
  view.generation_config = make_generation_config(contents.metadata);
  return view;
}

std::vector<std::string> gguf_architectures() {
  std::set<std::string> names;
  for (const GgufArchitecture& architecture : known_architectures()) names.emplace(architecture.name);
  return {names.begin(), names.end()};
}

}  // namespace cleave::ckpt
