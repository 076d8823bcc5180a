#include "ckpt/quantized/join.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"

namespace cleave::ckpt {
namespace {

bool is_fp8(DType dtype) {
  return dtype == DType::F8_E4M3 || dtype == DType::F8_E5M2;
}

bool is_integer(DType dtype) {
  return !is_float(dtype) && !is_block(dtype) && dtype != DType::Bool;
}

// What a stored tensor is called that holds a packed weight, whatever the format. Other integers are buffers.
bool holds_weight(std::string_view name) {
  constexpr std::array<std::string_view, 5> kEndings = {".weight", ".qweight", ".weight_packed", ".W_q", ".codes"};
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); }) ||
         name.find(".experts.") != std::string_view::npos;
}

bool is_packed(const std::string& name, const Tensor& tensor) {
  return !tensor.reader && is_integer(tensor.view.dtype) && tensor.view.shape.size() > 1 && holds_weight(name);
}

using Format = Tensor (*)(Module&);

/// A tensor by whose name a format is known, with a second one where the first does not tell, and what the weight is
/// called.
struct Anchor {
  std::string_view ending, partner, result;
  Format format;
};
constexpr std::array kAnchors = {
    Anchor{".weight_packed", "", ".weight", join_packed}, Anchor{".weight.absmax", "", ".weight", join_bnb4},
    Anchor{".SCB", ".weight", ".weight", join_bnb8},      Anchor{".W_q", "", ".weight", join_hqq},
    Anchor{".codes", ".codebooks", ".weight", join_aqlm}, Anchor{"_blocks", "_scales", "_blocks", join_mxfp4_blocks},
};

/// One pass over the tensors of a checkpoint.
class Joining {
 public:
  Joining(NamedTensors& tensors, const Quantization& quantization)
      : tensors_(tensors), quantization_(quantization), zero_offset_(find_zero_offset()) {}

  void run() {
    for (const auto& [name, tensor] : tensors_) join_by_name(name, tensor.view);
    for (const auto& [name, tensor] : tensors_)
      if (is_fp8(tensor.view.dtype) && !used_.contains(name)) join_numbers(name);
    refuse_unscaled();
    for (const std::string& name : used_) tensors_.erase(name);
    for (auto& [name, tensor] : joined_) tensors_.insert_or_assign(name, std::move(tensor));
    drop_activations();
    rename_experts();
    refuse_packed();
  }

 private:
  int find_zero_offset() const {
    return quantization_.method == QuantMethod::Gptq ? gptq_zero_offset(tensors_, quantization_) : 0;
  }

  bool has(const std::string& name) const { return tensors_.contains(name); }

  void join(const std::string& module_name, std::string_view result, Format format) {
    Module module(tensors_, quantization_, module_name);
    finish(module, result, format(module));
  }

  void finish(Module& module, std::string_view result, Tensor tensor) {
    used_.insert(module.used().begin(), module.used().end());
    joined_.insert_or_assign(module.name() + std::string(result), std::move(tensor));
  }

  // Every format has a tensor by which it is found.
  void join_by_name(const std::string& name, const TensorView& view) {
    for (const Anchor& anchor : kAnchors)
      if (name.ends_with(anchor.ending)) {
        const std::string module = name.substr(0, name.size() - anchor.ending.size());
        if (!anchor.partner.empty() && !has(module + std::string(anchor.partner))) continue;
        return join(module, anchor.result, anchor.format);
      }
    constexpr std::string_view kWords = ".qweight", kWeight = ".weight";
    if (name.ends_with(kWords))
      join_words(name.substr(0, name.size() - kWords.size()));
    else if (name.ends_with(kWeight))
      join_weight(name.substr(0, name.size() - kWeight.size()), view);
    else if (view.dtype == DType::U8 && has(name + "_weight_scale"))
      join(name, "", join_stacked_fp4);
  }

  void join_words(const std::string& name) {
    if (quantization_.method == QuantMethod::Awq) return join(name, ".weight", join_awq);
    if (quantization_.method != QuantMethod::Gptq) return;
    Module module(tensors_, quantization_, name);
    Tensor tensor = join_gptq(module, zero_offset_);
    finish(module, ".weight", std::move(tensor));
  }

  // Formats that keep the weight's name: its type and what is beside it tell them apart.
  void join_weight(const std::string& module, const TensorView& view) {
    if (view.dtype == DType::U32 && (quantization_.method == QuantMethod::Mlx || has(module + ".scales")))
      join(module, ".weight", join_mlx);
    else if (view.dtype == DType::I8 && has(module + ".weight_scale"))
      join(module, ".weight", join_int8);
    else if (view.dtype == DType::U8 && has(module + ".weight_scale") && !has(module + ".weight.absmax"))
      join(module, ".weight", join_fp4);
  }

  void join_numbers(const std::string& name) {
    constexpr std::string_view kWeight = ".weight";
    const bool plain = name.ends_with(kWeight);
    Module module(tensors_, quantization_, plain ? name.substr(0, name.size() - kWeight.size()) : name);
    const std::string weight(plain ? kWeight : "");
    if (!has_fp8_scale(module, weight)) return unscaled_.push_back(name);
    finish(module, weight, join_fp8(module, weight));
    any_scaled_ = true;
  }

  // fp8 numbers that someone has merely rounded have no scales anywhere, and nothing speaks of any.
  void refuse_unscaled() const {
    for (const std::string& name : unscaled_)
      if (!used_.contains(name) && (any_scaled_ || quantization_.method != QuantMethod::None))
        fail(ErrorKind::Corrupt, "tensor {} is {} and has no scale, wanted {} or {} beside it", in_quotes(name),
             to_string(tensors_.find(name)->second.view.dtype), in_quotes(name + "_scale_inv"),
             in_quotes(name + "_scale"));
  }

  // Scales of inputs, keys and values are for arithmetic in fp8, which is not ours.
  void drop_activations() {
    constexpr std::array<std::string_view, 12> kSuffixes = {
        ".input_scale",      ".input_scale_inv", ".activation_scale",  ".input_global_scale",
        ".input_zero_point", ".output_scale",    ".output_zero_point", ".k_scale",
        ".v_scale",          ".q_scale",         ".kv_scale",          ".prob_output_scale"};
    if (quantization_.method == QuantMethod::None) return;
    std::erase_if(tensors_, [&](const auto& entry) {
      return std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return entry.first.ends_with(suffix); });
    });
  }

  // MLX stacks the linears of experts: X.switch_mlp.gate_proj.weight is X.experts.gate_proj here. Mixtral's have names
  // of their own.
  void rename_experts() {
    constexpr std::string_view kSwitch = ".switch_mlp.", kWeight = ".weight";
    std::vector<std::pair<std::string, std::string>> renames;
    for (const auto& [name, tensor] : tensors_) {
      const size_t at = name.find(kSwitch);
      if (at == std::string::npos || !name.ends_with(kWeight)) continue;
      const std::string parent = name.substr(0, at);
      std::string linear = name.substr(at + kSwitch.size(), name.size() - at - kSwitch.size() - kWeight.size());
      if (parent.ends_with(".block_sparse_moe"))
        linear = linear == "gate_proj" ? "w1" : linear == "up_proj" ? "w3" : linear == "down_proj" ? "w2" : linear;
      renames.emplace_back(name, parent + ".experts." + linear);
    }
    for (const auto& [from, to] : renames) {
      auto node = tensors_.extract(from);
      node.key() = to;
      tensors_.insert(std::move(node));
    }
  }

  void refuse_packed() const {
    const std::string name = packed_tensor(tensors_);
    if (name.empty()) return;
    const TensorView& view = tensors_.find(name)->second.view;
    const std::string source = quantization_.method == QuantMethod::None
                                   ? "no quantization_config says how it is packed"
                                   : "it is packed in a way that is not read for the method of " + quantization_.where;
    fail(ErrorKind::Unsupported, "tensor {} is {} {}: {}", in_quotes(name), to_string(view.dtype),
         to_string(view.shape), source);
  }

  NamedTensors& tensors_;
  const Quantization& quantization_;
  int zero_offset_;
  NamedTensors joined_;
  std::set<std::string> used_;
  std::vector<std::string> unscaled_;
  bool any_scaled_ = false;
};

}  // namespace

void join_quantized(NamedTensors& tensors, const Quantization& quantization) {
  Joining(tensors, quantization).run();
}

std::string packed_tensor(const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors)
    if (is_packed(name, tensor)) return name;
  return {};
}

}  // namespace cleave::ckpt
