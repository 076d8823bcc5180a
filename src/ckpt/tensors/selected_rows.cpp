#include "ckpt/tensors/selected_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

class SelectedRows final : public TensorReader {
 public:
  SelectedRows(std::vector<Tensor> sources, int64_t columns, std::vector<int64_t> order)
      : sources_(std::move(sources)), columns_(columns), order_(std::move(order)), dtype_(sources_[0].dtype()) {
    int64_t rows = 0;
    for (const Tensor& source : sources_) {
      first_rows_.push_back(rows);
      rows += num_elements(source.view.shape) / columns_;
      if (source.dtype() != dtype_) dtype_ = DType::F32;
      parts_.insert(parts_.end(), source.parts().begin(), source.parts().end());
    }
    for (const int64_t row : order_) CHECK(row >= 0 && row < rows);
  }

  DType dtype() const override { return dtype_; }
  std::span<const TensorView> parts() const override { return parts_; }

  void read(int64_t element, std::span<std::byte> target) const override {
    while (!target.empty()) {
      const int64_t column = element % columns_, left = columns_ - column;
      const auto size = std::min(target.size(), static_cast<size_t>(row_bytes(dtype_, left)));
      read_row(order_[static_cast<size_t>(element / columns_)], column, target.first(size));
      target = target.subspan(size);
      element += left;
    }
  }

 private:
  void read_row(int64_t row, int64_t column, std::span<std::byte> target) const {
    const auto source =
        static_cast<size_t>(std::upper_bound(first_rows_.begin(), first_rows_.end(), row) - first_rows_.begin() - 1);
    const Tensor& tensor = sources_[source];
    const int64_t element = (row - first_rows_[source]) * columns_ + column;
    if (tensor.dtype() == dtype_) return read_elements(tensor, element, target);
    read_as_f32(tensor, element, target);
  }

  std::vector<Tensor> sources_;
  int64_t columns_;
  std::vector<int64_t> order_;
  std::vector<int64_t> first_rows_;
  std::vector<TensorView> parts_;
  DType dtype_;
};

}  // namespace

Tensor selected_rows(std::vector<Tensor> sources, int64_t columns, std::vector<int64_t> order, Shape shape) {
  CHECK(!sources.empty() && columns > 0);
  CHECK_EQ(static_cast<int64_t>(order.size()) * columns, num_elements(shape));
  const DType stored = sources[0].view.dtype;
  const bool same = std::all_of(sources.begin(), sources.end(), [&](const Tensor& source) {
    return source.view.dtype == stored && source.dtype() == sources[0].dtype();
  });
  // What becomes f32 while it is read is packed as bf16 as a rule.
  const DType planned = same ? stored : DType::BF16;
  auto reader = std::make_shared<SelectedRows>(std::move(sources), columns, std::move(order));
  return {{planned, std::move(shape), {}}, std::move(reader)};
}

}  // namespace cleave::ckpt
