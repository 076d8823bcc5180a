#pragma once

#include <cstdint>
#include <span>

#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// A reader that computes numbers, one by one, out of what is stored.
class NumbersReader : public TensorReader {
 public:
  DType dtype() const final { return DType::F32; }
  void read(int64_t element, std::span<std::byte> target) const final;

 protected:
  /// Writes the elements from `element` on. REQUIRES: they lie in one row.
  virtual void numbers(int64_t element, std::span<float> target) const = 0;
};

}  // namespace cleave::ckpt
