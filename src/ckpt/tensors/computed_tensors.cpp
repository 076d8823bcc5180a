#include "ckpt/tensors/computed_tensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kMostBlockElements = 256;

// The type in which numbers of a dequantised tensor are counted for planning: they are packed as bf16 as a rule.
DType planned(DType stored) {
  return info(stored).block_elements == 1 ? stored : DType::BF16;
}

// Number `element` of a tensor of blocks.
float number_at(const TensorView& view, int64_t element) {
  const DTypeInfo& type = info(view.dtype);
  std::array<float, kMostBlockElements> numbers;
  const auto first = static_cast<size_t>(element / type.block_elements * type.block_bytes);
  convert_to_f32(view.dtype, view.bytes.subspan(first, static_cast<size_t>(type.block_bytes)),
                 std::span(numbers).first(static_cast<size_t>(type.block_elements)));
  return numbers[static_cast<size_t>(element % type.block_elements)];
}

class Transposed final : public TensorReader {
 public:
  explicit Transposed(TensorView view) : view_(std::move(view)) {
    rows_ = view_.shape[view_.shape.size() - 2];
    columns_ = view_.shape.back();
  }

  DType dtype() const override { return info(view_.dtype).block_elements == 1 ? view_.dtype : DType::F32; }
  std::span<const TensorView> parts() const override { return {&view_, 1}; }

  void read(int64_t element, std::span<std::byte> target) const override {
    const auto size = static_cast<size_t>(info(dtype()).block_bytes);
    for (; !target.empty(); target = target.subspan(size), ++element) {
      const int64_t matrix = element / (rows_ * columns_), inside = element % (rows_ * columns_);
      const int64_t stored = (matrix * rows_ + inside % rows_) * columns_ + inside / rows_;
      if (dtype() == view_.dtype) {
        std::memcpy(target.data(), view_.bytes.data() + static_cast<size_t>(stored) * size, size);
      } else {
        const float number = number_at(view_, stored);
        std::memcpy(target.data(), &number, size);
      }
    }
  }

 private:
  TensorView view_;
  int64_t rows_, columns_;
};

class Applied final : public TensorReader {
 public:
  Applied(Tensor tensor, double (*function)(double)) : tensor_(std::move(tensor)), function_(function) {}

  DType dtype() const override { return DType::F32; }
  std::span<const TensorView> parts() const override { return tensor_.parts(); }

  void read(int64_t element, std::span<std::byte> target) const override {
    read_as_f32(tensor_, element, target);
    for (; !target.empty(); target = target.subspan(sizeof(float))) {
      float number = 0;
      std::memcpy(&number, target.data(), sizeof(number));
      number = static_cast<float>(function_(number));
      std::memcpy(target.data(), &number, sizeof(number));
    }
  }

 private:
  Tensor tensor_;
  double (*function_)(double);
};

class PermutedColumns final : public TensorReader {
 public:
  PermutedColumns(TensorView view, int64_t unit, std::vector<int64_t> order)
      : view_(std::move(view)), unit_(unit), order_(std::move(order)) {}

  DType dtype() const override { return unit_ % info(view_.dtype).block_elements == 0 ? view_.dtype : DType::F32; }
  std::span<const TensorView> parts() const override { return {&view_, 1}; }

  void read(int64_t element, std::span<std::byte> target) const override {
    const Tensor stored = {view_};
    const auto columns = static_cast<int64_t>(order_.size()) * unit_;
    while (!target.empty()) {
      const int64_t column = element % columns, inside = column % unit_, count = unit_ - inside;
      const int64_t from = element - column + order_[static_cast<size_t>(column / unit_)] * unit_ + inside;
      const auto size = std::min(target.size(), static_cast<size_t>(row_bytes(dtype(), count)));
      if (dtype() == view_.dtype)
        read_elements(stored, from, target.first(size));
      else
        read_as_f32(stored, from, target.first(size));
      target = target.subspan(size);
      element += count;
    }
  }

 private:
  TensorView view_;
  int64_t unit_;
  std::vector<int64_t> order_;
};

}  // namespace

Tensor transposed(const TensorView& view) {
  CHECK(view.shape.size() >= 2);
  Shape shape = view.shape;
  std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return {{planned(view.dtype), std::move(shape), {}}, std::make_shared<Transposed>(view)};
}

Tensor applied(Tensor tensor, double (*function)(double)) {
  TensorView view = {DType::F32, tensor.view.shape, {}};
  return {std::move(view), std::make_shared<Applied>(std::move(tensor), function)};
}

Tensor permuted_columns(const TensorView& view, int64_t unit, std::vector<int64_t> order) {
  CHECK_EQ(static_cast<int64_t>(order.size()) * unit, view.shape.back());
  const bool cut = unit % info(view.dtype).block_elements != 0;
  auto reader = std::make_shared<PermutedColumns>(view, unit, std::move(order));
  return {{cut ? planned(view.dtype) : view.dtype, view.shape, {}}, std::move(reader)};
}

}  // namespace cleave::ckpt
