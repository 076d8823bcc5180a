#include "ckpt/tensors/permuted_rows.h"

#include <cstring>
#include <utility>

#include "base/check.h"

namespace cleave::ckpt {
namespace {

class PermutedRows final : public TensorReader {
 public:
  PermutedRows(TensorView view, std::vector<int64_t> order)
      : view_(std::move(view)),
        order_(std::move(order)),
        columns_(view_.shape.size() == 1 ? 1 : view_.shape.back()),
        row_size_(static_cast<size_t>(row_bytes(view_.dtype, columns_))) {}

  DType dtype() const override { return view_.dtype; }
  std::span<const TensorView> parts() const override { return {&view_, 1}; }

  void read(int64_t element, std::span<std::byte> target) const override {
    // One part of a row of a matrix, whole "rows" of a vector.
    auto first = static_cast<size_t>(row_bytes(view_.dtype, element % columns_));
    for (int64_t row = element / columns_; !target.empty(); ++row, first = 0) {
      const std::byte* stored = view_.bytes.data() + static_cast<size_t>(order_[static_cast<size_t>(row)]) * row_size_;
      const size_t size = std::min(target.size(), row_size_ - first);
      std::memcpy(target.data(), stored + first, size);
      target = target.subspan(size);
    }
  }

 private:
  TensorView view_;
  std::vector<int64_t> order_;
  int64_t columns_;
  size_t row_size_;
};

}  // namespace

Tensor permuted_rows(const TensorView& view, std::vector<int64_t> order) {
  CHECK(view.shape.size() == 1 || view.shape.size() == 2);
  CHECK_EQ(static_cast<int64_t>(order.size()), view.shape[0]);
  return {{view.dtype, view.shape, {}}, std::make_shared<PermutedRows>(view, std::move(order))};
}

}  // namespace cleave::ckpt
