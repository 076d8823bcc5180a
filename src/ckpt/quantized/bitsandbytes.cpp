// bitsandbytes. Source: its functional.py (QuantState) and nn/modules.py, version 0.48.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/json_field.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"
#include "ckpt/quantized/grouped.h"
#include "ckpt/tensors/numbers_reader.h"
#include "tensor/blocks.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kBlock = 64;  // of the block types NF4_G64 and FP4_G64, and of nearly all checkpoints

constexpr int64_t kMostElements = int64_t{1} << 40;  // that share a scale

/// The parts of a 4-bit weight: codes, elements one behind the other, the first in the high half of a byte.
struct Float4 {
  std::string name;
  Shape shape;
  int64_t block = 0;  // elements that share a scale
  std::span<const std::byte> codes = {};
  std::array<float, 16> values = {};
  TensorView scales = {};         // F32, or U8 into nested_values
  TensorView nested_scales = {};  // F32, one for each nested_block
  std::vector<float> nested_values = {};
  int64_t nested_block = 0;
  float nested_offset = 0;
  std::vector<TensorView> parts = {};

  float scale(int64_t index) const;
};

float float_at(const TensorView& view, int64_t index) {
  float number = 0;
  std::memcpy(&number, view.bytes.data() + index * 4, sizeof number);
  return number;
}

float Float4::scale(int64_t index) const {
  if (nested_block == 0) return float_at(scales, index);
  const auto code = static_cast<size_t>(scales.bytes[static_cast<size_t>(index)]);
  return nested_values[code] * float_at(nested_scales, index / nested_block) + nested_offset;
}

// Whole blocks where they do not run over the ends of rows.
class Float4Blocks final : public TensorReader {
 public:
  Float4Blocks(Float4 weight, DType dtype) : weight_(std::move(weight)), dtype_(dtype) {}
  DType dtype() const override { return dtype_; }
  std::span<const TensorView> parts() const override { return weight_.parts; }
  void read(int64_t element, std::span<std::byte> target) const override {
    static_assert(sizeof(BlockFloat4) == sizeof(float) + kBlock / 2);
    int64_t block = element / kBlock;
    for (size_t done = 0; done < target.size(); done += sizeof(BlockFloat4), ++block) {
      const float scale = weight_.scale(block);
      if (!(std::abs(scale) <= 65504))
        fail(ErrorKind::Unsupported, "tensor {} has a scale of {}, wanted at most 65504", in_quotes(weight_.name),
             scale);
      std::memcpy(target.data() + done, &scale, sizeof scale);
      std::memcpy(target.data() + done + sizeof scale, weight_.codes.data() + block * (kBlock / 2), kBlock / 2);
    }
  }

 private:
  Float4 weight_;
  DType dtype_;
};

class Float4Numbers final : public NumbersReader {
 public:
  explicit Float4Numbers(Float4 weight) : weight_(std::move(weight)) {}
  std::span<const TensorView> parts() const override { return weight_.parts; }

 private:
  void numbers(int64_t element, std::span<float> target) const override {
    int64_t block = -1;
    float scale = 0;
    for (float& number : target) {
      if (element / weight_.block != block) scale = weight_.scale(block = element / weight_.block);
      const auto pair = static_cast<uint8_t>(weight_.codes[static_cast<size_t>(element / 2)]);
      number = scale * weight_.values[element % 2 == 0 ? pair >> 4 : pair & 15];
      ++element;
    }
  }

  Float4 weight_;
};

// The settings that stand as text in a tensor of bytes.
Json quant_state(Module& module) {
  for (const char* suffix : {".weight.quant_state.bitsandbytes__nf4", ".weight.quant_state.bitsandbytes__fp4"})
    if (const TensorView* state = module.find(suffix)) {
      const std::string_view text(reinterpret_cast<const char*>(state->bytes.data()), state->bytes.size());
      Json json = parse_json(text, "tensor " + in_quotes(module.name() + suffix));
      return json;
    }
  fail(ErrorKind::Corrupt, "tensor {} is missing, without which {} cannot be read",
       in_quotes(module.name() + ".weight.quant_state.bitsandbytes__nf4"), in_quotes(module.name() + ".weight"));
}

Shape shape_of(const JsonField& state) {
  Shape shape;
  int64_t elements = 1;
  for (size_t i = 0; i < state.at("shape").array().size(); ++i) {
    shape.push_back(static_cast<int64_t>(state.at("shape").at(i).count()));
    if (shape.back() == 0 || __builtin_mul_overflow(elements, shape.back(), &elements))
      state.at("shape").wrong("a shape of a weight");
  }
  if (shape.empty()) state.at("shape").wrong("a shape of a weight");
  return shape;
}

void read_nested(Module& module, const JsonField& state, int64_t blocks, Float4& weight) {
  weight.nested_block = static_cast<int64_t>(state.at("nested_blocksize").count());
  if (weight.nested_block < 1 || weight.nested_block > kMostElements)
    state.at("nested_blocksize").wrong("a number of scales");
  const Json& offset = state.at("nested_offset").json();
  if (!offset.is_number()) state.at("nested_offset").wrong("a number");
  weight.nested_offset = offset.get<float>();
  module.require(".weight.absmax", DType::U8, {blocks});
  module.require(".weight.nested_absmax", DType::F32, {(blocks + weight.nested_block - 1) / weight.nested_block});
  module.require(".weight.nested_quant_map", DType::F32, {256});
  weight.nested_scales = module.need(".weight.nested_absmax");
  for (int64_t i = 0; i < 256; ++i)
    weight.nested_values.push_back(float_at(module.need(".weight.nested_quant_map"), i));
}

Float4 float4_of(Module& module) {
  const Json json = quant_state(module);
  const JsonField state(json, "quant_state of " + module.name() + ":");
  Float4 weight{.name = module.name() + ".weight", .shape = shape_of(state)};
  weight.block = static_cast<int64_t>(state.at("blocksize").count());
  if (weight.block < 1 || weight.block > kMostElements) state.at("blocksize").wrong("a number of elements");
  const int64_t elements = num_elements(weight.shape), blocks = (elements - 1) / weight.block + 1;
  const TensorView& codes = module.need(".weight");
  weight.codes = codes.bytes;
  if (static_cast<int64_t>(codes.bytes.size()) != elements / 2 + elements % 2)
    module.wrong(".weight", fmt::format("the codes of {}, two in a byte", to_string(weight.shape)));
  module.require(".weight.quant_map", DType::F32, {16});
  for (size_t i = 0; i < 16; ++i)
    weight.values[i] = float_at(module.need(".weight.quant_map"), static_cast<int64_t>(i));
  if (state.find("nested_blocksize"))
    read_nested(module, state, blocks, weight);
  else
    module.require(".weight.absmax", DType::F32, {blocks});
  weight.scales = module.need(".weight.absmax");
  weight.parts = module.parts();
  return weight;
}

// Whether packed weights can have the scales in half precision; a scale that is normal there answers for others.
bool fit_halves(const Float4& weight) {
  const int64_t blocks = num_elements(weight.scales.shape);
  for (int64_t i = 0; i < blocks; ++i)
    if (std::abs(weight.scale(i)) >= 0x1p-14f) return true;
  return false;
}

}  // namespace

Tensor join_bnb4(Module& module) {
  Float4 weight = float4_of(module);
  const Shape shape = weight.shape;
  const bool nf4 = weight.values == kNf4Values, fp4 = weight.values == kBnbFp4Values;
  if ((nf4 || fp4) && weight.block == kBlock && shape.back() % kBlock == 0 && fit_halves(weight)) {
    const DType dtype = nf4 ? DType::NF4_G64 : DType::FP4_G64;
    return {{dtype, shape, {}}, std::make_shared<Float4Blocks>(std::move(weight), dtype)};
  }
  return {{DType::BF16, shape, {}}, std::make_shared<Float4Numbers>(std::move(weight))};
}

Tensor join_bnb8(Module& module) {
  const TensorView& codes = module.need(".weight");
  if (codes.dtype != DType::I8 || codes.shape.size() != 2 || num_elements(codes.shape) == 0)
    module.wrong(".weight", "a matrix of I8");
  const int64_t outputs = codes.shape[0], inputs = codes.shape[1];
  module.require(".SCB", DType::F32, {outputs});
  if (const TensorView* format = module.find(".weight_format"))
    if (format->bytes.size() != 1 || format->bytes[0] != std::byte{0})
      fail(ErrorKind::Unsupported, "tensor {} says that the rows of {} lie in the order of one GPU, wanted 0",
           in_quotes(module.name() + ".weight_format"), in_quotes(module.name() + ".weight"));
  return grouped_tensor({.name = module.name(),
                         .shape = codes.shape,
                         .group = inputs,
                         .levels = std::make_shared<SignedBytes>(codes.bytes, inputs),
                         .scales = {module.need(".SCB"), Grid{outputs, 0, 1, 0}, 1.0f / 127},
                         .offset = {},
                         .parts = module.parts()});
}

}  // namespace cleave::ckpt
