// AWQ. Source: AutoAWQ (packing_utils.py, linear/gemm.py, linear/gemv.py).
#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/json_field.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"
#include "ckpt/quantized/grouped.h"

namespace cleave::ckpt {
namespace {

constexpr int kBits = 4;
constexpr int64_t kPerWord = 8;

bool is_gemv(const Quantization& quantization) {
  const JsonField settings(quantization.settings, quantization.where + ":");
  std::string version = settings.string_or("version", "gemm");
  std::ranges::transform(version, version.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return version == "gemv";
}

int64_t checked_group(const Module& module, const IntSettings& settings, int64_t inputs) {
  if (settings.bits != kBits)
    fail(ErrorKind::Unsupported, "{}: bits is {} for module {}, wanted 4", module.quantization().where, settings.bits,
         in_quotes(module.name()));
  const int64_t group = settings.group > 0 ? settings.group : inputs;
  if (group == 0 || inputs % group != 0)
    fail(ErrorKind::Corrupt, "{}: group_size {} does not divide the {} inputs of module {}",
         module.quantization().where, settings.group, inputs, in_quotes(module.name()));
  return group;
}

void check_scales(Module& module, const Shape& shape) {
  const TensorView& scales = module.need(".scales");
  if (!is_float(scales.dtype) || scales.shape != shape) module.wrong(".scales", "numbers " + to_string(shape));
}

// Words of eight outputs of one input, in AWQ's order.
GroupedMatrix gemm(Module& module, const IntSettings& settings) {
  const TensorView& words = module.need(".qweight");
  const int64_t inputs = words.shape[0], outputs = words.shape[1] * kPerWord;
  const int64_t group = checked_group(module, settings, inputs), groups = inputs / group;
  check_scales(module, {groups, outputs});
  module.require(".qzeros", DType::I32, {groups, words.shape[1]});
  const Offset offset{.kind = Offset::Kind::PackedZero,
                      .zeros = std::make_shared<AwqInts>(module.need(".qzeros").bytes, outputs, false),
                      .zeros_by_group = true};
  return {.name = module.name(),
          .shape = {outputs, inputs},
          .group = group,
          .levels = std::make_shared<AwqInts>(words.bytes, outputs, true),
          .scales = {module.need(".scales"), Grid{outputs, 0, 1, outputs}},
          .offset = offset};
}

// Words of eight inputs of one output, in plain order; groups are made up to a number that its kernel likes.
GroupedMatrix gemv(Module& module, const IntSettings& settings) {
  const TensorView& words = module.need(".qweight");
  const int64_t outputs = words.shape[0], inputs = words.shape[1] * kPerWord;
  const int64_t group = checked_group(module, settings, inputs), groups = inputs / group;
  const int64_t unit = group == 32 ? 4 : group == 64 ? 2 : 1;  // of words of zero points
  const int64_t width = ((groups + kPerWord - 1) / kPerWord + unit - 1) / unit * unit;
  check_scales(module, {outputs, width * kPerWord});
  module.require(".qzeros", DType::I32, {outputs, width});
  const Offset offset{.kind = Offset::Kind::PackedZero,
                      .zeros = std::make_shared<WordInts>(module.need(".qzeros").bytes, kBits, width, 1)};
  return {.name = module.name(),
          .shape = {outputs, inputs},
          .group = group,
          .levels = std::make_shared<WordInts>(words.bytes, kBits, words.shape[1], 1),
          .scales = {module.need(".scales"), Grid{outputs, 0, width * kPerWord, 1}},
          .offset = offset};
}

}  // namespace

Tensor join_awq(Module& module) {
  const TensorView& words = module.need(".qweight");
  if (words.dtype != DType::I32 || words.shape.size() != 2 || num_elements(words.shape) == 0)
    module.wrong(".qweight", "a matrix of I32 words");
  const IntSettings settings = int_settings(module.quantization(), module.name());
  GroupedMatrix matrix = is_gemv(module.quantization()) ? gemv(module, settings) : gemm(module, settings);
  matrix.parts = module.parts();
  return grouped_tensor(std::move(matrix));
}

}  // namespace cleave::ckpt
