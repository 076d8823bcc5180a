#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ckpt/quantized/quantization.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// The stored tensors of one quantised module while a format's reader puts them together: found by the module's name
/// and what the format adds to it. Borrows tensors and configuration.
class Module {
 public:
  Module(const NamedTensors& tensors, const Quantization& quantization, std::string name)
      : tensors_(tensors), quantization_(quantization), name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  const Quantization& quantization() const { return quantization_; }

  /// The stored tensor of that suffix; nullptr where there is none. It counts as used.
  const TensorView* find(std::string_view suffix);
  /// The same of a tensor that must be there. Throws Error(Corrupt) naming it.
  const TensorView& need(std::string_view suffix);
  /// Counts tensors as used that do not change the weights.
  void ignore(std::initializer_list<std::string_view> suffixes);

  /// Throws Error(Corrupt): what the tensor is, and what was wanted.
  [[noreturn]] void wrong(std::string_view suffix, const std::string& wanted) const;
  /// Throws it unless the tensor has that type and shape.
  void require(std::string_view suffix, DType dtype, const Shape& shape);

  /// Names of the used tensors, and the tensors themselves.
  const std::vector<std::string>& used() const { return used_; }
  std::vector<TensorView> parts() const;

 private:
  const NamedTensors& tensors_;
  const Quantization& quantization_;
  std::string name_;
  std::vector<std::string> used_;
};

}  // namespace cleave::ckpt
