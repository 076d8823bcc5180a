// fp8 numbers with scales. Sources: DeepSeek-V3's model.py, Transformers' integrations finegrained_fp8 and fbgemm_fp8,
// compressed-tensors (naive_quantized), modelopt (unified_export_hf.py).
#include "ckpt/quantized/fp8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "base/json_field.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"
#include "ckpt/quantized/number_at.h"
#include "ckpt/tensors/numbers_reader.h"
#include "tensor/blocks.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kDefaultBlock = 128;
constexpr int64_t kLargestBlock = int64_t{1} << 40;
constexpr int64_t kFp8Block = info(DType::FP8_G128).block_elements;
constexpr int64_t kMxBlock = 32;  // of a row, in the MX standard

// fp8 codes and their scales.
class ScaledFp8 {
 public:
  ScaledFp8(TensorView weight, BlockScales scales, std::vector<TensorView> parts)
      : weight_(std::move(weight)), scales_(std::move(scales)), parts_(std::move(parts)) {}

  const TensorView& weight() const { return weight_; }
  const BlockScales& scales() const { return scales_; }
  std::span<const TensorView> parts() const { return parts_; }
  std::span<const std::byte> codes(int64_t begin, int64_t end) const {
    return weight_.bytes.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  }

  float scale_at(int64_t row, int64_t column) const {
    const Grid& grid = scales_.grid;
    const int64_t index = row / grid.rows * grid.matrix_stride + row % grid.rows / scales_.rows * grid.row_stride +
                          column / scales_.columns * grid.column_stride;
    return number_at(scales_.stored, index);
  }

 private:
  TensorView weight_;
  BlockScales scales_;
  std::vector<TensorView> parts_;
};

class Fp8Numbers final : public NumbersReader {
 public:
  explicit Fp8Numbers(ScaledFp8 fp8) : fp8_(std::move(fp8)) {}
  std::span<const TensorView> parts() const override { return fp8_.parts(); }
  std::span<const std::byte> run(int64_t begin, int64_t end) const override { return fp8_.codes(begin, end); }

 private:
  void numbers(int64_t element, std::span<float> target) const override {
    const int64_t columns = fp8_.weight().row_elements(), row = element / columns, width = fp8_.scales().columns;
    convert_to_f32(fp8_.weight().dtype, fp8_.codes(element, element + static_cast<int64_t>(target.size())), target);
    int64_t column = element % columns;
    for (size_t i = 0; i < target.size();) {
      const float scale = fp8_.scale_at(row, column);
      const size_t end = std::min(target.size(), i + static_cast<size_t>(width - column % width));
      column += static_cast<int64_t>(end - i);
      for (; i < end; ++i) target[i] *= scale;
    }
  }

  ScaledFp8 fp8_;
};

// Blocks of FP8_G128, of which the elements of each have one scale.
class Fp8Blocks final : public TensorReader {
 public:
  explicit Fp8Blocks(ScaledFp8 fp8) : fp8_(std::move(fp8)) {}
  DType dtype() const override { return DType::FP8_G128; }
  std::span<const TensorView> parts() const override { return fp8_.parts(); }
  std::span<const std::byte> run(int64_t begin, int64_t end) const override { return fp8_.codes(begin, end); }

  void read(int64_t element, std::span<std::byte> target) const override {
    const int64_t columns = fp8_.weight().row_elements();
    for (; !target.empty(); element += kFp8Block, target = target.subspan(sizeof(BlockFP8))) {
      const float scale = fp8_.scale_at(element / columns, element % columns);
      std::memcpy(target.data(), &scale, sizeof scale);
      std::ranges::copy(fp8_.codes(element, element + kFp8Block), target.begin() + sizeof scale);
    }
  }

 private:
  ScaledFp8 fp8_;
};

// Whether the numbers fall into FP8_G128 blocks, which take no more memory than the file.
bool fall_into_blocks(const TensorView& weight, const BlockScales& scales) {
  const int64_t columns = weight.row_elements();
  return weight.dtype == DType::F8_E4M3 && weight.shape.size() >= 2 && columns % kFp8Block == 0 &&
         (scales.columns >= columns || scales.columns % kFp8Block == 0);
}

/// Extents of a weight: matrices of rows x columns.
struct Extents {
  int64_t matrices, rows, columns;
};

Extents extents_of(const Shape& shape) {
  const int64_t columns = shape.empty() ? 1 : std::max<int64_t>(1, shape.back());
  const int64_t rows = shape.size() < 2 ? 1 : std::max<int64_t>(1, shape[shape.size() - 2]);
  return {std::max<int64_t>(1, num_elements(shape) / (rows * columns)), rows, columns};
}

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

Shape without_ones(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

// The suffix of the scales of NAME + `weight`; "" where there are none.
std::string scales_of(Module& module, const std::string& weight) {
  std::vector<std::string> suffixes = {weight + "_scale_inv", weight + "_scale"};
  if (weight == ".weight") suffixes.insert(suffixes.end(), {".scale", ".weight_quantizer.scale"});
  for (std::string& suffix : suffixes)
    if (module.find(suffix) != nullptr) return std::move(suffix);
  return {};
}

// A pair of whole numbers: [128, 128], or "128x128".
bool read_block(const Json& json, int64_t& rows, int64_t& columns) {
  const auto in_range = [](int64_t x) { return x >= 1 && x <= kLargestBlock; };
  if (json.is_array() && json.size() == 2 && json[0].is_number_integer() && json[1].is_number_integer()) {
    rows = json[0].get<int64_t>(), columns = json[1].get<int64_t>();
    return in_range(rows) && in_range(columns);
  }
  if (!json.is_string()) return false;
  const std::string text = json.get<std::string>();
  char end = 0;
  return std::sscanf(text.c_str(), "%9ldx%9ld%c", &rows, &columns, &end) == 2 && in_range(rows) && in_range(columns);
}

// Rows and columns of a block by the configuration: of the method fp8, or of a group of compressed-tensors.
std::pair<int64_t, int64_t> configured_block(const Module& module) {
  int64_t rows = 0, columns = 0;
  const Json& settings = module.quantization().settings;
  if (read_block(settings.value("weight_block_size", Json()), rows, columns)) return {rows, columns};
  const Json weights = weights_settings(module.quantization(), module.name());
  if (weights.is_object()) {
    if (read_block(weights.value("block_structure", Json()), rows, columns)) return {rows, columns};
    const Json group = weights.value("group_size", Json());
    if (group.is_number_integer() && group.get<int64_t>() > 0)
      return {1, std::min(group.get<int64_t>(), kLargestBlock)};
  }
  return {kDefaultBlock, kDefaultBlock};
}

// Scales of each row or column of several matrices, of which there are `count` in each.
BlockScales of_lines(const TensorView& scales, const Extents& e, bool rows) {
  if (rows) return {scales, Grid{e.rows, e.rows, 1, 0}, 1, e.columns};
  return {scales, Grid{e.rows, e.columns, 0, 1}, e.rows, 1};
}

// How scales of that shape belong to a weight; columns stay 0 where they do not.
BlockScales match(const Module& module, const Shape& weight, const TensorView& scales) {
  const Extents e = extents_of(weight);
  const int64_t count = num_elements(scales.shape);
  if (count == 1) return {scales, Grid{e.rows, 0, 0, 0}, e.rows, e.columns};
  if (count == e.matrices && e.matrices > 1) return {scales, Grid{e.rows, 1, 0, 0}, e.rows, e.columns};
  // FBGEMM stores experts as [experts, in, out], and one scale for each output, however its dimensions are called.
  if (module.quantization().method == QuantMethod::FbgemmFp8 && weight.size() == 3)
    return count == e.matrices * e.columns ? of_lines(scales, e, false) : BlockScales{};
  if (count == e.matrices * e.rows && (scales.shape.back() == 1 || scales.shape.size() < weight.size()))
    return of_lines(scales, e, true);
  if (count == e.matrices * e.columns && weight.size() == 3 && scales.shape.size() == 3 && scales.shape[1] == 1)
    return of_lines(scales, e, false);
  auto [rows, columns] = configured_block(module);
  if (scales.dtype == DType::F8_E8M0 && count == e.matrices * e.rows * ceil_div(e.columns, kMxBlock))
    rows = 1, columns = kMxBlock;
  const int64_t down = ceil_div(e.rows, rows), across = ceil_div(e.columns, columns);
  if (without_ones(scales.shape) != without_ones({e.matrices, down, across})) return {};
  return {scales, Grid{e.rows, down * across, across, 1}, rows, columns};
}

}  // namespace

Tensor scaled_fp8(TensorView weight, BlockScales scales, std::vector<TensorView> parts) {
  const DType dtype = weight.dtype;
  const Shape shape = weight.shape;
  const bool blocks = fall_into_blocks(weight, scales);
  ScaledFp8 fp8(std::move(weight), std::move(scales), std::move(parts));
  if (blocks) return {{DType::FP8_G128, shape, {}}, std::make_shared<Fp8Blocks>(std::move(fp8))};
  return {{dtype, shape, {}}, std::make_shared<Fp8Numbers>(std::move(fp8))};
}

bool has_fp8_scale(Module& module, const std::string& weight) {
  return !scales_of(module, weight).empty();
}

Tensor join_fp8(Module& module, const std::string& weight) {
  const TensorView& numbers = module.need(weight);
  const std::string suffix = scales_of(module, weight);
  TensorView scales = module.need(suffix.empty() ? weight + "_scale" : suffix);
  if (scales.dtype == DType::U8) scales.dtype = DType::F8_E8M0;
  const BlockScales blocks = is_float(scales.dtype) ? match(module, numbers.shape, scales) : BlockScales{};
  if (blocks.stored.bytes.empty())
    module.wrong(suffix, fmt::format("one scale for the tensor {} {}, one for each row or one for each block",
                                     in_quotes(module.name() + weight), to_string(numbers.shape)));
  return scaled_fp8(numbers, blocks, module.parts());
}

}  // namespace cleave::ckpt
