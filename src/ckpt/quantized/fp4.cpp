// FP4 (E2M1) of the MX standard (OCP Microscaling Formats 1.0) and of NVIDIA. Sources: compressed-tensors (nvfp4,
// mxfp4) and modelopt (nvfp4_tensor.py).
#include "ckpt/quantized/fp4.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"
#include "ckpt/tensors/numbers_reader.h"
#include "tensor/blocks.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kMxGroup = 32;
constexpr int64_t kNvidiaGroup = 16;
constexpr uint8_t kLargestScale = 0x7e;  // of E4M3: 448; beyond are not-a-number and negative ones
constexpr float kLargestE4m3 = 448;

// Blocks as GGML lays them out: element i in the low half of byte i, element i + n / 2 in its high half.
void put_halves(const Fp4& weight, int64_t row, int64_t column, int64_t count, std::byte* target) {
  const auto element = [&](int64_t i) {
    const int64_t at = weight.pair_grid.at(row, (column + i) / 2);
    return static_cast<uint8_t>(weight.pairs[static_cast<size_t>(at)]) >> (i % 2 * 4) & 15;
  };
  for (int64_t i = 0; i < count / 2; ++i) target[i] = static_cast<std::byte>(element(i) | element(i + count / 2) << 4);
}

class Mxfp4Blocks final : public TensorReader {
 public:
  explicit Mxfp4Blocks(Fp4 weight) : weight_(std::move(weight)) {}
  DType dtype() const override { return DType::MXFP4; }
  std::span<const TensorView> parts() const override { return weight_.parts; }
  void read(int64_t element, std::span<std::byte> target) const override {
    const int64_t row = element / weight_.shape.back();
    int64_t column = element % weight_.shape.back();
    for (; !target.empty(); column += kMxGroup, target = target.subspan(sizeof(BlockMXFP4))) {
      target[0] = weight_.scales.bytes[static_cast<size_t>(weight_.scale_grid.at(row, column / kMxGroup))];
      put_halves(weight_, row, column, kMxGroup, target.data() + 1);
    }
  }

 private:
  Fp4 weight_;
};

uint8_t checked_scale(const Fp4& weight, int64_t row, int64_t column) {
  const auto scale =
      static_cast<uint8_t>(weight.scales.bytes[static_cast<size_t>(weight.scale_grid.at(row, column / kNvidiaGroup))]);
  if (scale > kLargestScale)
    fail(ErrorKind::Corrupt, "tensor {} has the scale 0x{:02x}, wanted a number that is not negative",
         in_quotes(weight.name), scale);
  return scale;
}

class Nvfp4Blocks final : public TensorReader {
 public:
  explicit Nvfp4Blocks(Fp4 weight) : weight_(std::move(weight)) {}
  DType dtype() const override { return DType::NVFP4_G16; }
  std::span<const TensorView> parts() const override { return weight_.parts; }
  void read(int64_t element, std::span<std::byte> target) const override {
    const int64_t row = element / weight_.shape.back();
    int64_t column = element % weight_.shape.back();
    for (; !target.empty(); column += kNvidiaGroup, target = target.subspan(sizeof(BlockNVFP4_G16))) {
      std::memcpy(target.data(), &weight_.factor, sizeof weight_.factor);
      target[offsetof(BlockNVFP4_G16, scale)] = static_cast<std::byte>(checked_scale(weight_, row, column));
      put_halves(weight_, row, column, kNvidiaGroup, target.data() + offsetof(BlockNVFP4_G16, qs));
    }
  }

 private:
  Fp4 weight_;
};

class Nvfp4Numbers final : public NumbersReader {
 public:
  explicit Nvfp4Numbers(Fp4 weight) : weight_(std::move(weight)) {}
  std::span<const TensorView> parts() const override { return weight_.parts; }

 private:
  void numbers(int64_t element, std::span<float> target) const override {
    const int64_t row = element / weight_.shape.back();
    int64_t column = element % weight_.shape.back();
    for (float& number : target) {
      const auto pair = static_cast<uint8_t>(weight_.pairs[static_cast<size_t>(weight_.pair_grid.at(row, column / 2))]);
      const int8_t value = kMxfp4Values[column % 2 == 0 ? pair & 15 : pair >> 4];  // twice the number
      number = weight_.factor * nvfp4_scale(checked_scale(weight_, row, column)) * static_cast<float>(value);
      ++column;
    }
  }

  Fp4 weight_;
};

Shape with_last(Shape shape, int64_t extent) {
  shape.back() = extent;
  return shape;
}

// The one number of a tensor.
float scalar(Module& module, std::string_view suffix) {
  const TensorView& view = module.need(suffix);
  float number = 0;
  if (view.dtype != DType::F32 || num_elements(view.shape) != 1) module.wrong(suffix, "one F32 number");
  std::memcpy(&number, view.bytes.data(), sizeof number);
  if (!std::isfinite(number) || number <= 0) module.wrong(suffix, "a number above 0");
  return number;
}

}  // namespace

Tensor fp4_tensor(Fp4 weight) {
  const Shape shape = weight.shape;
  if (weight.scales.dtype == DType::F8_E8M0)
    return {{DType::MXFP4, shape, {}}, std::make_shared<Mxfp4Blocks>(std::move(weight))};
  const float largest = weight.factor * kLargestE4m3;
  if (largest >= 0x1p-14f && largest <= 65504)
    return {{DType::NVFP4_G16, shape, {}}, std::make_shared<Nvfp4Blocks>(std::move(weight))};
  return {{DType::BF16, shape, {}}, std::make_shared<Nvfp4Numbers>(std::move(weight))};
}

Tensor fp4_rows(const std::string& name, const Shape& shape, std::span<const std::byte> pairs, const TensorView& scales,
                float factor, std::vector<TensorView> parts) {
  const int64_t columns = shape.back(), rows = num_elements(shape) / columns;
  const int64_t group = scales.dtype == DType::F8_E8M0 ? kMxGroup : kNvidiaGroup;
  return fp4_tensor({.name = name,
                     .shape = shape,
                     .pairs = pairs,
                     .pair_grid = {rows, 0, columns / 2, 1},
                     .scales = scales,
                     .scale_grid = {rows, 0, columns / group, 1},
                     .factor = factor,
                     .parts = std::move(parts)});
}

Tensor join_fp4(Module& module) {
  const bool packed = module.find(".weight_packed") != nullptr;
  const std::string_view name = packed ? ".weight_packed" : ".weight";
  const TensorView& pairs = module.need(name);
  if (pairs.shape.size() < 2 || num_elements(pairs.shape) == 0) module.wrong(name, "matrices of U8 pairs");
  if (module.find(".pre_quant_scale") != nullptr)
    fail(ErrorKind::Unsupported, "tensor {} would multiply the inputs, which is not read",
         in_quotes(module.name() + ".pre_quant_scale"));
  TensorView scales = module.need(".weight_scale");
  const bool nvidia = scales.dtype == DType::F8_E4M3 || module.find(".weight_global_scale") != nullptr ||
                      module.find(".weight_scale_2") != nullptr;
  if (!nvidia && scales.dtype == DType::U8) scales.dtype = DType::F8_E8M0;
  const DType wanted = nvidia ? DType::F8_E4M3 : DType::F8_E8M0;
  const Shape shape = with_last(pairs.shape, pairs.shape.back() * 2);
  const int64_t group = nvidia ? kNvidiaGroup : kMxGroup;
  if (scales.dtype != wanted || shape.back() % group != 0 || scales.shape != with_last(shape, shape.back() / group))
    module.wrong(".weight_scale",
                 fmt::format("{} {}: one scale for {} inputs of {}", to_string(wanted),
                             to_string(with_last(shape, shape.back() / group)), group, to_string(shape)));
  const float factor = !nvidia  ? 1
                       : packed ? 1 / scalar(module, ".weight_global_scale")
                                : scalar(module, ".weight_scale_2");
  return fp4_rows(module.name(), shape, pairs.bytes, scales, factor, module.parts());
}

Tensor join_stacked_fp4(Module& module) {
  const TensorView& pairs = module.need("");
  if (pairs.shape.size() != 3 || num_elements(pairs.shape) == 0) module.wrong("", "[experts, inputs / 2, outputs]");
  const int64_t experts = pairs.shape[0], inputs = pairs.shape[1] * 2, outputs = pairs.shape[2];
  if (inputs % kNvidiaGroup != 0) module.wrong("", "whole groups of 16 inputs");
  module.require("_weight_scale", DType::F8_E4M3, {experts, inputs / kNvidiaGroup, outputs});
  const float factor = scalar(module, "_weight_scale_2");
  module.ignore({"_input_scale"});
  return fp4_tensor({.name = module.name(),
                     .shape = {experts, outputs, inputs},
                     .pairs = pairs.bytes,
                     .pair_grid = {outputs, inputs / 2 * outputs, 1, outputs},
                     .scales = module.need("_weight_scale"),
                     .scale_grid = {outputs, inputs / kNvidiaGroup * outputs, 1, outputs},
                     .factor = factor,
                     .parts = module.parts()});
}

Tensor join_mxfp4_blocks(Module& module) {
  const TensorView& blocks = module.need("_blocks");
  Shape shape = blocks.shape;
  if (blocks.dtype != DType::U8 || shape.size() < 3 || shape.back() != kMxGroup / 2 || num_elements(shape) == 0)
    module.wrong("_blocks", "U8 [..., groups, 16]");
  shape.pop_back();
  TensorView scales = module.need("_scales");
  if (scales.dtype != DType::U8 || scales.shape != shape)
    module.wrong("_scales", fmt::format("U8 {} for the blocks {}", to_string(shape), to_string(blocks.shape)));
  scales.dtype = DType::F8_E8M0;
  shape.back() *= kMxGroup;
  return fp4_rows(module.name(), shape, blocks.bytes, scales, 1, module.parts());
}

}  // namespace cleave::ckpt
