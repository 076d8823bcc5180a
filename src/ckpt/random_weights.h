#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/repeated_bytes.h"
#include "ckpt/tensor_source.h"

namespace cleave::ckpt {

/// A tensor whose numbers are made up.
struct RandomTensor {
  std::string name;
  DType dtype = DType::BF16;  // F32, F16, BF16 or a block type
  Shape shape;
};

/// Made-up weights of any size in a few megabytes: numbers like those of a fresh model, normal with a deviation of
/// 0.02 (vectors called "weight", which norms multiply with, around 1 instead of 0). They recur every few megabytes.
/// Speed does not depend on what numbers weights are. The same list and seed give the same numbers.
class RandomWeights final : public TensorSource {
 public:
  /// Throws Error: Unsupported for another type, InvalidArgument for rows that are no whole blocks.
  RandomWeights(const std::vector<RandomTensor>& list, uint64_t seed);

  /// Borrowed from this object, moved or not.
  const NamedTensors& tensors() const { return tensors_; }

  const Tensor* find(std::string_view name) const override { return ckpt::find(tensors_, name); }
  std::vector<std::string> names() const override { return names_of(tensors_); }
  void release(const TensorView& view) const override;
  /// Nothing is to be read again, and the few megabytes stay.
  void release_all() const override {}

 private:
  std::vector<RepeatedBytes> memory_;
  NamedTensors tensors_;
};

}  // namespace cleave::ckpt
