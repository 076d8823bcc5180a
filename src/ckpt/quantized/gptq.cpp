// GPTQ and AutoRound. Sources: AutoGPTQ (qlinear_cuda.py), GPTQModel (nn_modules/qlinear) and AutoRound's export.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/json_field.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"
#include "ckpt/quantized/grouped.h"

namespace cleave::ckpt {
namespace {

constexpr std::string_view kZeros = ".qzeros";

int checked_bits(const Module& module, const IntSettings& settings) {
  const int bits = settings.bits;
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8)
    fail(ErrorKind::Unsupported, "{}: bits is {} for module {}, wanted 2, 3, 4 or 8", module.quantization().where, bits,
         in_quotes(module.name()));
  return bits;
}

// The group of each input, where the file tells it.
std::vector<int32_t> groups_of(Module& module, int64_t inputs, int64_t groups, const std::string& source) {
  const TensorView* stored = module.find(".g_idx");
  if (stored == nullptr) return {};
  if (stored->dtype != DType::I32 || stored->shape != Shape{inputs})
    module.wrong(".g_idx", fmt::format("I32 [{}], as {}", inputs, source));
  std::vector<int32_t> group_of(static_cast<size_t>(inputs));
  std::memcpy(group_of.data(), stored->bytes.data(), stored->bytes.size());
  for (const int32_t group : group_of)
    if (group < 0 || group >= groups)
      fail(ErrorKind::Corrupt, "tensor {} names group {}, wanted 0 to {}", in_quotes(module.name() + ".g_idx"), group,
           groups - 1);
  return group_of;
}

// Whether all zero points of the model are this far below the middle.
bool zeros_are(const NamedTensors& tensors, const Quantization& quantization, int below) {
  for (const auto& [name, tensor] : tensors) {
    if (!name.ends_with(kZeros) || tensor.view.dtype != DType::I32 || tensor.view.shape.size() != 2) continue;
    const int bits = int_settings(quantization, name.substr(0, name.size() - kZeros.size())).bits;
    if (bits < 2 || bits > 8) continue;
    const WordInts zeros(tensor.view.bytes, bits, std::max<int64_t>(1, tensor.view.shape[1]), 1);
    if (!zeros.all_are((1u << (bits - 1)) - static_cast<uint32_t>(below))) return false;
  }
  return true;
}

}  // namespace

int gptq_zero_offset(const NamedTensors& tensors, const Quantization& quantization) {
  const JsonField settings(quantization.settings, quantization.where + ":");
  std::string label = settings.string_or("checkpoint_format", settings.string_or("format", "gptq"));
  if (settings.string_or("quant_method", "").ends_with("round"))
    label =
        settings.string_or("packing_format", "auto_round").find("auto_gptq") != std::string::npos ? "gptq" : "gptq_v2";
  if (settings.boolean_or("sym", true)) {
    if (zeros_are(tensors, quantization, 0)) return 0;
    if (zeros_are(tensors, quantization, 1)) return 1;
  }
  return label == "gptq_v2" ? 0 : 1;
}

Tensor join_gptq(Module& module, int zero_offset) {
  const IntSettings settings = int_settings(module.quantization(), module.name());
  const int bits = checked_bits(module, settings);
  const TensorView& words = module.need(".qweight");
  if (words.dtype != DType::I32 || words.shape.size() != 2 || num_elements(words.shape) == 0 ||
      words.shape[0] * 32 % bits != 0 || words.shape[1] % 32 != 0)
    module.wrong(".qweight", fmt::format("I32 words of {} bits, a multiple of 32 inputs and outputs", bits));
  const int64_t inputs = words.shape[0] * 32 / bits, outputs = words.shape[1];
  const int64_t group = settings.group > 0 ? settings.group : inputs, groups = (inputs + group - 1) / group;
  const std::string source =
      fmt::format("qweight {}, bits {} and group_size {} say", to_string(words.shape), bits, settings.group);
  const TensorView& scales = module.need(".scales");
  if (!is_float(scales.dtype) || scales.shape != Shape{groups, outputs})
    module.wrong(".scales", fmt::format("numbers [{}, {}], as {}", groups, outputs, source));
  const TensorView& zeros = module.need(kZeros);
  if (zeros.dtype != DType::I32 || zeros.shape != Shape{groups, outputs * bits / 32})
    module.wrong(kZeros, fmt::format("I32 [{}, {}], as {}", groups, outputs * bits / 32, source));
  GroupedMatrix matrix;
  matrix.name = module.name();
  matrix.shape = {outputs, inputs};
  matrix.group = group;
  matrix.levels = std::make_shared<WordInts>(words.bytes, bits, 1, outputs);
  matrix.scales = {scales, Grid{outputs, 0, 1, outputs}};
  matrix.offset = {.kind = Offset::Kind::PackedZero,
                   .zeros = std::make_shared<WordInts>(zeros.bytes, bits, zeros.shape[1], 1),
                   .zeros_by_group = true,
                   .more = zero_offset};
  matrix.group_of = groups_of(module, inputs, groups, source);
  matrix.parts = module.parts();
  return grouped_tensor(std::move(matrix));
}

}  // namespace cleave::ckpt
