#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// A stored tensor under its Hugging Face name. Borrowed from the checkpoint's mapping, without alignment.
struct Tensor {
  /// As stored; shape outermost first, in Hugging Face's order ([out, in] for a linear).
  TensorView view;

  /// Where > 0, dimension 0 is heads x (d/2) x 2 (GGML's order of llama's q and k rows) and Hugging Face has heads x 2
  /// x (d/2): row (h, j, i) here is row (h, i, j) there.
  int64_t interleaved_heads = 0;
};

/// Tensors by Hugging Face name, sorted.
using NamedTensors = std::map<std::string, Tensor, std::less<>>;

}  // namespace cleave::ckpt
