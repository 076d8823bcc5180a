#include "ckpt/tensors/scaled_blocks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "tensor/blocks.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kBlock = 64, kGroup = 16;  // elements of an NVFP4 block, and of a group with its own scale

class ScaledBlocks final : public TensorReader {
 public:
  ScaledBlocks(Tensor tensor, std::vector<float> factors)
      : tensor_(std::move(tensor)),
        factors_(std::move(factors)),
        per_factor_(num_elements(tensor_.view.shape) / static_cast<int64_t>(factors_.size())) {}

  DType dtype() const override { return tensor_.dtype() == DType::NVFP4 ? DType::NVFP4_G16 : DType::F32; }
  std::span<const TensorView> parts() const override { return tensor_.parts(); }
  std::span<const std::byte> run(int64_t begin, int64_t end) const override {
    return tensor_.reader ? tensor_.reader->run(begin, end) : std::span<const std::byte>();
  }

  void read(int64_t element, std::span<std::byte> target) const override {
    const float factor = factors_[static_cast<size_t>(element / per_factor_)];  // a row has one
    if (dtype() == DType::F32)
      read_numbers(element, factor, target);
    else
      read_groups(element, factor, target);
  }

 private:
  void read_numbers(int64_t element, float factor, std::span<std::byte> target) const {
    read_as_f32(tensor_, element, target);
    for (; !target.empty(); target = target.subspan(sizeof(float))) {
      float number = 0;
      std::memcpy(&number, target.data(), sizeof number);
      number *= factor;
      std::memcpy(target.data(), &number, sizeof number);
    }
  }

  void read_groups(int64_t element, float factor, std::span<std::byte> target) const {
    while (!target.empty()) {
      BlockNVFP4 block;
      read_elements(tensor_, element / kBlock * kBlock, std::as_writable_bytes(std::span(&block, 1)));
      for (int64_t g = element % kBlock / kGroup; g < kBlock / kGroup && !target.empty(); ++g, element += kGroup) {
        BlockNVFP4_G16 group = {factor, block.scales[g], {}};
        std::memcpy(group.qs, block.qs + 8 * g, sizeof group.qs);
        std::memcpy(target.data(), &group, sizeof group);
        target = target.subspan(sizeof group);
      }
    }
  }

  Tensor tensor_;
  std::vector<float> factors_;
  int64_t per_factor_;  // elements that a factor serves
};

}  // namespace

Tensor scaled_blocks(Tensor tensor, std::vector<float> factors) {
  CHECK(factors.size() == 1 || static_cast<int64_t>(factors.size()) == tensor.view.shape[0]);
  TensorView view = {tensor.view.dtype, tensor.view.shape, {}};
  return {std::move(view), std::make_shared<ScaledBlocks>(std::move(tensor), std::move(factors))};
}

}  // namespace cleave::ckpt
