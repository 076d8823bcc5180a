#include "ckpt/scaled_tensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "tensor/blocks.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kDefaultBlock = 128;
constexpr int64_t kMxBlock = 32;       // elements of an MXFP4 block
constexpr int64_t kMxBlockBytes = 16;  // of them, without the scale

bool is_fp8(const Tensor& tensor) {
  return tensor.view.dtype == DType::F8_E4M3 || tensor.view.dtype == DType::F8_E5M2;
}

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Factors of a tensor's numbers, one for each block of rows x columns.
struct Scales {
  TensorView view;
  int64_t block_rows, block_columns;
};

// fp8 numbers, multiplied by their blocks' scales.
class ScaledFp8 final : public TensorReader {
 public:
  ScaledFp8(TensorView view, Scales scales)
      : parts_{std::move(view), std::move(scales.view)},
        columns_(parts_[0].row_elements()),
        block_rows_(scales.block_rows),
        block_columns_(scales.block_columns) {}

  DType dtype() const override { return DType::F32; }
  std::span<const TensorView> parts() const override { return parts_; }
  std::span<const std::byte> run(int64_t begin, int64_t end) const override {
    return parts_[0].bytes.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  }

  void read(int64_t element, std::span<std::byte> target) const override {
    std::array<float, 256> numbers;  // target is bytes, of any alignment
    while (!target.empty()) {
      const std::span<float> some = std::span(numbers).first(std::min(target.size() / sizeof(float), numbers.size()));
      read_numbers(element, some);
      std::memcpy(target.data(), some.data(), some.size_bytes());
      target = target.subspan(some.size_bytes());
      element += static_cast<int64_t>(some.size());
    }
  }

 private:
  float scale_at(int64_t row, int64_t column) const {
    const TensorView& scales = parts_[1];
    const auto size = static_cast<size_t>(info(scales.dtype).block_bytes);
    const int64_t index = row / block_rows_ * ceil_div(columns_, block_columns_) + column / block_columns_;
    float scale = 0;
    convert_to_f32(scales.dtype, scales.bytes.subspan(static_cast<size_t>(index) * size, size), {&scale, 1});
    return scale;
  }

  void read_numbers(int64_t element, std::span<float> target) const {
    const int64_t row = element / columns_;
    convert_to_f32(parts_[0].dtype, parts_[0].bytes.subspan(static_cast<size_t>(element), target.size()), target);
    int64_t column = element % columns_;
    for (size_t i = 0; i < target.size();) {
      const float scale = scale_at(row, column);
      const int64_t left = block_columns_ - column % block_columns_;
      const size_t end = std::min(target.size(), i + static_cast<size_t>(left));
      column += static_cast<int64_t>(end - i);
      for (; i < end; ++i) target[i] *= scale;
    }
  }

  std::array<TensorView, 2> parts_;  // numbers and scales
  int64_t columns_, block_rows_, block_columns_;
};

// MXFP4 with its scales apart, in GGML's blocks: there element i is in the low half of byte i and element i + 16 in the
// high half; as stored elements 2i and 2i + 1 share byte i.
class Mxfp4Blocks final : public TensorReader {
 public:
  Mxfp4Blocks(TensorView blocks, TensorView scales) : parts_{std::move(blocks), std::move(scales)} {}

  DType dtype() const override { return DType::MXFP4; }
  std::span<const TensorView> parts() const override { return parts_; }
  std::span<const std::byte> run(int64_t begin, int64_t end) const override {
    return parts_[0].bytes.subspan(static_cast<size_t>(begin / 2), static_cast<size_t>((end - begin) / 2));
  }

  void read(int64_t element, std::span<std::byte> target) const override {
    for (int64_t block = element / kMxBlock; !target.empty(); ++block) {
      put(parts_[0].bytes.data() + block * kMxBlockBytes, parts_[1].bytes[static_cast<size_t>(block)], target.data());
      target = target.subspan(sizeof(BlockMXFP4));
    }
  }

 private:
  static void put(const std::byte* source, std::byte scale, std::byte* target) {
    static_assert(sizeof(BlockMXFP4) == 1 + kMxBlockBytes);
    const auto element = [&](int i) { return static_cast<uint8_t>(source[i / 2]) >> (i % 2 * 4) & 15; };
    target[0] = scale;
    for (int i = 0; i < kMxBlockBytes; ++i) target[1 + i] = static_cast<std::byte>(element(i) | element(i + 16) << 4);
  }

  std::array<TensorView, 2> parts_;  // blocks and scales
};

// Rows and columns of a block as the configuration tells them.
std::pair<int64_t, int64_t> configured_block(const Json& config) {
  const Json quantization = config.is_object() ? config.value("quantization_config", Json::object()) : Json::object();
  const Json size = quantization.is_object() ? quantization.value("weight_block_size", Json()) : Json();
  if (!size.is_array() || size.size() != 2 || !size[0].is_number_integer() || !size[1].is_number_integer() ||
      size[0].get<int64_t>() < 1 || size[1].get<int64_t>() < 1)
    return {kDefaultBlock, kDefaultBlock};
  return {size[0].get<int64_t>(), size[1].get<int64_t>()};
}

[[noreturn]] void do_not_fit(const std::string& name, const Tensor& tensor, const std::string& scales_name,
                             const TensorView& scales) {
  fail(ErrorKind::Corrupt,
       "tensor {} is {} {}, its scales {} are {} {}: expected one scale, one for each row or one for each block",
       in_quotes(name), to_string(tensor.view.dtype), to_string(tensor.view.shape), in_quotes(scales_name),
       to_string(scales.dtype), to_string(scales.shape));
}

// Gives an fp8 tensor its scales.
void join_fp8(const std::string& name, Tensor& tensor, const std::string& scales_name, const TensorView& scales,
              std::pair<int64_t, int64_t> block) {
  const Shape& shape = tensor.view.shape;
  const int64_t columns = shape.empty() ? 1 : std::max<int64_t>(1, shape.back());
  const int64_t rows = num_elements(shape) / columns, count = num_elements(scales.shape);
  if (!is_float(scales.dtype)) do_not_fit(name, tensor, scales_name, scales);
  if (count == 1)
    block = {std::max<int64_t>(1, rows), columns};
  else if (count == rows && (scales.shape.back() == 1 || scales.shape.size() < shape.size()))
    block = {1, columns};
  else if (shape.size() != 2 || scales.shape != Shape{ceil_div(rows, block.first), ceil_div(columns, block.second)})
    do_not_fit(name, tensor, scales_name, scales);
  tensor.reader = std::make_shared<ScaledFp8>(tensor.view, Scales{scales, block.first, block.second});
  tensor.view.bytes = {};
}

// Turns blocks of 16 bytes into a tensor of MXFP4 with scales.
void join_mxfp4(const std::string& name, Tensor& blocks, const std::string& scales_name, const TensorView& scales) {
  Shape shape = blocks.view.shape;
  const bool in_blocks = shape.size() >= 3 && shape.back() == kMxBlockBytes;
  if (in_blocks) shape.pop_back();
  if (!in_blocks || shape != scales.shape || scales.dtype != DType::U8) do_not_fit(name, blocks, scales_name, scales);
  shape.back() *= kMxBlock;
  blocks.reader = std::make_shared<Mxfp4Blocks>(blocks.view, scales);
  blocks.view = {DType::MXFP4, shape, {}};
}

// Name of the tensor that holds the scales of `name`; "" where there is none.
std::string scales_of(const NamedTensors& tensors, const std::string& name, const Tensor& tensor) {
  if (is_fp8(tensor)) {
    for (const char* suffix : {"_scale_inv", "_scale"})
      if (tensors.contains(name + suffix)) return name + suffix;
  } else if (tensor.view.dtype == DType::U8 && name.ends_with("_blocks")) {
    std::string scales = name.substr(0, name.size() - std::string_view("_blocks").size()) + "_scales";
    if (tensors.contains(scales)) return scales;
  }
  return {};
}

}  // namespace

void join_scales(NamedTensors& tensors, const Json& config) {
  const std::pair<int64_t, int64_t> block = configured_block(config);
  std::vector<std::string> joined;
  for (auto& [name, tensor] : tensors) {
    const std::string scales = scales_of(tensors, name, tensor);
    if (scales.empty()) continue;
    if (is_fp8(tensor))
      join_fp8(name, tensor, scales, tensors.find(scales)->second.view, block);
    else
      join_mxfp4(name, tensor, scales, tensors.find(scales)->second.view);
    joined.push_back(scales);
  }
  for (const std::string& name : joined) tensors.erase(name);
}

}  // namespace cleave::ckpt
