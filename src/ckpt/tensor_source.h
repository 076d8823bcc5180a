#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ckpt/tensors/tensor.h"
#include "tensor/tensor_table.h"

namespace cleave::ckpt {

/// Tensors with their numbers, by Hugging Face name: what weights are loaded from. A checkpoint's files are one,
/// made-up weights another; an adapter's changes over either can be a third, since loading asks no more than this.
///
/// Thread-safe once made. Tensors and their views live as long as the source.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  /// nullptr where there is no tensor of that name.
  virtual const Tensor* find(std::string_view name) const = 0;

  /// Names of all tensors, sorted.
  virtual std::vector<std::string> names() const = 0;

  /// Says that the bytes of `view`, a part of this source's tensors, need not stay resident.
  virtual void release(const TensorView& view) const = 0;

  /// Says the same of all that the source holds, headers of files included. What is touched later is read again.
  virtual void release_all() const = 0;

  /// Types and shapes of all tensors, and of stored ones of which the type is not read.
  virtual TensorTable table() const;
};

/// The parts of a source that holds its tensors in a map.
const Tensor* find(const NamedTensors& tensors, std::string_view name);
std::vector<std::string> names_of(const NamedTensors& tensors);

}  // namespace cleave::ckpt
