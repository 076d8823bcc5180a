#include "ckpt/quantized/grouped.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/number_at.h"
#include "ckpt/tensors/numbers_reader.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kUnit = 32;  // elements: the smallest block, and what Ints copies at least

// Packed weights have scales and minima of half precision. A tensor all of whose scales are below its normal numbers
// would lose bits; a single small one beside large ones does not matter.
constexpr float kSmallestHalf = 0x1p-14f;
constexpr float kLargestHalf = 65504;

class Affine {
 public:
  explicit Affine(const GroupedMatrix& matrix) : matrix_(matrix), middle_(1 << (matrix.levels->bits() - 1)) {}

  float scale(int64_t row, int64_t group) const { return matrix_.scales.at(row, group); }

  float offset(int64_t row, int64_t group) const {
    const Offset& offset = matrix_.offset;
    switch (offset.kind) {
      case Offset::Kind::Middle:
        return -scale(row, group) * static_cast<float>(middle_);
      case Offset::Kind::PackedZero: {
        const uint32_t zero = offset.zeros_by_group ? offset.zeros->at(group, row) : offset.zeros->at(row, group);
        return -scale(row, group) * static_cast<float>(static_cast<int>(zero) + offset.more);
      }
      case Offset::Kind::FloatZero:
        return -scale(row, group) * offset.numbers.at(row, group);
      case Offset::Kind::Minimum:
        break;
    }
    return offset.numbers.at(row, group);
  }

 private:
  const GroupedMatrix& matrix_;
  int middle_;
};

// Blocks of INT and UINT types: a scale, a minimum for the latter, and a stream of levels.
class GroupedBlocks final : public TensorReader {
 public:
  GroupedBlocks(GroupedMatrix matrix, DType dtype, int bits, bool minimum)
      : matrix_(std::move(matrix)), dtype_(dtype), bits_(bits), minimum_(minimum) {}
  DType dtype() const override { return dtype_; }
  std::span<const TensorView> parts() const override { return matrix_.parts; }

  void read(int64_t element, std::span<std::byte> target) const override {
    const DTypeInfo& type = info(dtype_);
    const int64_t columns = matrix_.shape.back(), row = element / columns;
    const std::vector<uint8_t> sorted = sorted_levels(row);
    std::byte* block = target.data();
    for (int64_t column = element % columns; block < target.data() + target.size(); column += type.block_elements) {
      std::byte* levels = write_numbers(row, column, block);
      if (sorted.empty())
        write_levels(row, column, type.block_elements, levels);
      else
        pack_levels(std::span(sorted).subspan(static_cast<size_t>(column), static_cast<size_t>(type.block_elements)),
                    bits_, levels);
      block += type.block_bytes;
    }
  }

 private:
  // The levels of a row in the order of its columns; none where they are as stored.
  std::vector<uint8_t> sorted_levels(int64_t row) const {
    std::vector<uint8_t> stored(matrix_.order.size()), sorted;
    if (stored.empty()) return sorted;
    matrix_.levels->unpack(row, 0, stored);
    sorted.reserve(stored.size());
    for (const int32_t column : matrix_.order) sorted.push_back(stored[static_cast<size_t>(column)]);
    return sorted;
  }

  // Scale and minimum of the block that begins at the column. Gives what is behind them.
  std::byte* write_numbers(int64_t row, int64_t column, std::byte* block) const {
    const Affine affine(matrix_);
    const int64_t group = column / matrix_.group;
    block = put(affine.scale(row, group), block);
    return minimum_ ? put(affine.offset(row, group), block) : block;
  }

  void write_levels(int64_t row, int64_t column, int64_t count, std::byte* block) const {
    if (bits_ == matrix_.levels->bits()) return matrix_.levels->copy(row, column, count, block);
    matrix_.levels->unpack(row, column, {reinterpret_cast<uint8_t*>(block), static_cast<size_t>(count)});
  }

  std::byte* put(float number, std::byte* block) const {
    if (!(std::abs(number) <= kLargestHalf))
      fail(ErrorKind::Unsupported, "tensor {} has a scale or an offset of {}, wanted at most {}",
           in_quotes(matrix_.name), number, kLargestHalf);
    std::memcpy(block, &number, sizeof number);
    return block + sizeof number;
  }

  GroupedMatrix matrix_;
  DType dtype_;
  int bits_;  // of a level in the blocks: those of the format, or 8
  bool minimum_;
};

// Numbers, whatever the order of groups.
class GroupedNumbers final : public NumbersReader {
 public:
  explicit GroupedNumbers(GroupedMatrix matrix) : matrix_(std::move(matrix)) {}
  std::span<const TensorView> parts() const override { return matrix_.parts; }

 private:
  void numbers(int64_t element, std::span<float> target) const override {
    std::array<uint8_t, 256> levels;
    const int64_t row = element / matrix_.shape.back();
    int64_t column = element % matrix_.shape.back();
    for (size_t done = 0; done < target.size();) {
      const size_t count = std::min(levels.size(), target.size() - done);
      matrix_.levels->unpack(row, column, std::span(levels).first(count));
      write(row, column, std::span(levels).first(count), target.data() + done);
      column += static_cast<int64_t>(count);
      done += count;
    }
  }

  int64_t group_of(int64_t column) const {
    return matrix_.group_of.empty() ? column / matrix_.group : matrix_.group_of[static_cast<size_t>(column)];
  }

  void write(int64_t row, int64_t column, std::span<const uint8_t> levels, float* target) const {
    const Affine affine(matrix_);
    int64_t group = -1;
    float scale = 0, offset = 0;
    for (const uint8_t level : levels) {
      if (const int64_t next = group_of(column++); next != group) {
        group = next;
        scale = affine.scale(row, group);
        offset = affine.offset(row, group);
      }
      *target++ = scale * static_cast<float>(level) + offset;
    }
  }

  GroupedMatrix matrix_;
};

// An order of columns as a tensor.
class ColumnNumbers final : public NumbersReader {
 public:
  explicit ColumnNumbers(std::vector<int32_t> order) : order_(std::move(order)) {}
  std::span<const TensorView> parts() const override { return {}; }

 private:
  void numbers(int64_t element, std::span<float> target) const override {
    for (float& number : target) number = static_cast<float>(order_[static_cast<size_t>(element++)]);
  }

  std::vector<int32_t> order_;
};

// The largest magnitude, or the first that is `enough`; not a number where one of them is none.
float largest(const GroupNumbers& numbers, float enough) {
  std::array<float, 256> some;
  const auto size = static_cast<size_t>(info(numbers.stored.dtype).block_bytes);
  float most = 0;
  for (std::span<const std::byte> rest = numbers.stored.bytes; !rest.empty() && most < enough;) {
    const size_t count = std::min(some.size(), rest.size() / size);
    convert_to_f32(numbers.stored.dtype, rest.first(count * size), std::span(some).first(count));
    for (size_t i = 0; i < count; ++i) {
      if (std::isnan(some[i])) return some[i];
      most = std::max(most, std::abs(some[i] * numbers.factor));
    }
    rest = rest.subspan(count * size);
  }
  return most;
}

// Whether scales and offsets can be half-precision numbers. Not all of those that are stored as such are looked at.
bool fit_halves(const GroupedMatrix& matrix) {
  const bool halves = matrix.scales.stored.dtype == DType::F16;
  const float infinity = std::numeric_limits<float>::infinity();
  const float scale = largest(matrix.scales, halves ? kSmallestHalf : infinity);
  if (!(scale == 0 || scale >= kSmallestHalf)) return false;
  const auto levels = static_cast<float>(1 << matrix.levels->bits());
  switch (matrix.offset.kind) {
    case Offset::Kind::Middle:
      return scale <= kLargestHalf;
    case Offset::Kind::PackedZero:
      return scale * levels <= kLargestHalf;
    case Offset::Kind::FloatZero:
      return scale * std::max(1.0f, largest(matrix.offset.numbers, infinity)) <= kLargestHalf;
    case Offset::Kind::Minimum:
      break;
  }
  return scale <= kLargestHalf && largest(matrix.offset.numbers, infinity) <= kLargestHalf;
}

// Whether level 2^(bits - 1) stands for 0 everywhere.
bool is_symmetric(const GroupedMatrix& matrix) {
  const Offset& offset = matrix.offset;
  const int middle = 1 << (matrix.levels->bits() - 1);
  return offset.kind == Offset::Kind::Middle || (offset.kind == Offset::Kind::PackedZero && middle >= offset.more &&
                                                 offset.zeros->all_are(static_cast<uint32_t>(middle - offset.more)));
}

bool in_order(const GroupedMatrix& matrix) {
  for (size_t i = 0; i < matrix.group_of.size(); ++i)
    if (matrix.group_of[i] != static_cast<int64_t>(i) / matrix.group) return false;
  return true;
}

// Elements of a block: the most that divide a group and a row.
std::optional<int64_t> block_of(const GroupedMatrix& matrix) {
  const int64_t columns = matrix.shape.back();
  const int64_t common = matrix.group >= columns ? columns : std::gcd(matrix.group, columns);
  for (const int64_t block : {int64_t{128}, int64_t{64}, kUnit})
    if (common % block == 0) return block;
  return std::nullopt;
}

// The order of columns that brings every group together; nothing where groups are not as large as they should be.
std::vector<int32_t> order_by_group(const GroupedMatrix& matrix) {
  std::vector<int32_t> order(matrix.group_of.size());
  std::iota(order.begin(), order.end(), 0);
  const auto group = [&](int32_t column) { return matrix.group_of[static_cast<size_t>(column)]; };
  std::ranges::stable_sort(order, std::less(), group);
  for (size_t i = 0; i < order.size(); ++i)
    if (group(order[i]) != static_cast<int64_t>(i) / matrix.group) return {};
  return order;
}

// The matrix as blocks of so many elements. REQUIRES: its groups lie in order, their numbers fit half precision.
Tensor blocks_tensor(GroupedMatrix matrix, int64_t block) {
  const int stored_bits = matrix.levels->bits();
  const int bits = stored_bits >= 2 && stored_bits <= 4 ? stored_bits : 8;
  const bool minimum = bits != stored_bits || !is_symmetric(matrix);
  const std::optional<DType> dtype = dtype_from_name(fmt::format("{}INT{}_G{}", minimum ? "U" : "", bits, block));
  CHECK(dtype.has_value());
  const Shape shape = matrix.shape;
  return {{*dtype, shape, {}}, std::make_shared<GroupedBlocks>(std::move(matrix), *dtype, bits, minimum)};
}

// The same matrix with its columns sorted; null where its groups are not of one size.
std::shared_ptr<const SortedColumns> sorted_columns(const GroupedMatrix& matrix, int64_t block) {
  if (matrix.shape.size() != 2) return nullptr;
  GroupedMatrix sorted = matrix;
  sorted.order = order_by_group(matrix);
  sorted.group_of.clear();
  if (sorted.order.empty()) return nullptr;
  auto form = std::make_shared<SortedColumns>();
  form->order.view = {DType::F32, {matrix.shape.back()}, {}};
  form->order.reader = std::make_shared<ColumnNumbers>(sorted.order);
  form->matrix = blocks_tensor(std::move(sorted), block);
  return form;
}

}  // namespace

float GroupNumbers::at(int64_t row, int64_t group) const {
  return factor * number_at(stored, grid.at(row, group));
}

Tensor grouped_tensor(GroupedMatrix matrix) {
  const std::optional<int64_t> block = block_of(matrix);
  const bool fits = block && fit_halves(matrix);
  if (fits && in_order(matrix)) return blocks_tensor(std::move(matrix), *block);
  auto sorted = fits ? sorted_columns(matrix, *block) : nullptr;
  const Shape shape = matrix.shape;
  return {{DType::BF16, shape, {}}, std::make_shared<GroupedNumbers>(std::move(matrix)), std::move(sorted)};
}

}  // namespace cleave::ckpt
