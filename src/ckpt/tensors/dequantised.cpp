#include "ckpt/tensors/dequantised.h"

#include "ckpt/tensors/numbers_reader.h"

namespace cleave::ckpt {
namespace {

class Dequantised final : public NumbersReader {
 public:
  explicit Dequantised(const Tensor& blocks) : blocks_(blocks) {}
  std::span<const TensorView> parts() const override { return blocks_.parts(); }

 private:
  void numbers(int64_t element, std::span<float> target) const override {
    read_as_f32(blocks_, element, std::as_writable_bytes(target));
  }

  Tensor blocks_;
};

}  // namespace

Tensor dequantised(const Tensor& blocks) {
  return {blocks.view, std::make_shared<Dequantised>(blocks)};
}

}  // namespace cleave::ckpt
