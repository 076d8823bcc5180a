#include "ckpt/tensors/low_rank.h"

#include <cstring>
#include <utility>

#include "base/check.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

class ChangedMatrix final : public TensorReader {
 public:
  ChangedMatrix(Tensor base, LowRankChange change) : base_(std::move(base)), change_(std::move(change)) {}

  DType dtype() const override { return DType::F32; }
  std::span<const TensorView> parts() const override { return base_.parts(); }

  std::span<const std::byte> run(int64_t begin, int64_t end) const override {
    if (base_.reader) return base_.reader->run(begin, end);
    const auto first = static_cast<size_t>(row_bytes(base_.view.dtype, begin));
    return base_.view.bytes.subspan(first, static_cast<size_t>(row_bytes(base_.view.dtype, end - begin)));
  }

  void read(int64_t element, std::span<std::byte> target) const override {
    const int64_t columns = base_.view.row_elements(), row = element / columns, first = element % columns;
    std::vector<float> sum = base_numbers(row, first, static_cast<int64_t>(target.size() / sizeof(float)));
    for (int64_t j = 0; j < change_.inner; ++j) {
      const float factor = change_.left[static_cast<size_t>(row * change_.inner + j)];
      const float* right = change_.right.data() + j * columns + first;
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += factor * right[i];
    }
    std::memcpy(target.data(), sum.data(), target.size());
  }

 private:
  // Numbers [first, first + count) of a row. Whole blocks are read where the base has some.
  std::vector<float> base_numbers(int64_t row, int64_t first, int64_t count) const {
    const int64_t block = info(base_.dtype()).block_elements;
    const int64_t begin = first / block * block, end = (first + count + block - 1) / block * block;
    std::vector<std::byte> stored(static_cast<size_t>(row_bytes(base_.dtype(), end - begin)));
    read_elements(base_, row * base_.view.row_elements() + begin, stored);
    std::vector<float> numbers(static_cast<size_t>(end - begin));
    convert_to_f32(base_.dtype(), stored, numbers);
    return {numbers.begin() + (first - begin), numbers.begin() + (first - begin) + count};
  }

  Tensor base_;
  LowRankChange change_;
};

}  // namespace

Tensor with_low_rank_change(Tensor base, LowRankChange change) {
  CHECK_EQ(base.view.shape.size(), size_t{2});
  CHECK_EQ(static_cast<int64_t>(change.left.size()), base.view.shape[0] * change.inner);
  CHECK_EQ(static_cast<int64_t>(change.right.size()), base.view.shape[1] * change.inner);
  // What planning counts with: such a matrix is packed in 16 bits, whatever blocks the base is stored in.
  const DType counted = base.view.dtype == DType::F32 || base.view.dtype == DType::F16 ? base.view.dtype : DType::BF16;
  const TensorView view{counted, base.view.shape, {}};
  return {view, std::make_shared<ChangedMatrix>(std::move(base), std::move(change))};
}

}  // namespace cleave::ckpt
