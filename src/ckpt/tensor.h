#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// Factors of a tensor's numbers, one for each block of block_rows x block_columns of its last dimension and the rest
/// (see scaled_tensors.h).
struct Scales {
  TensorView view;
  int64_t block_rows = 1, block_columns = 1;
};

/// A stored tensor under its Hugging Face name. Borrowed from the checkpoint's mapping, without alignment.
struct Tensor {
  /// As stored; shape outermost first, in Hugging Face's order ([out, in] for a linear).
  TensorView view;

  /// Where > 0, dimension 0 is heads x (d/2) x 2 (GGML's order of llama's q and k rows) and Hugging Face has heads x 2
  /// x (d/2): row (h, j, i) here is row (h, i, j) there.
  int64_t interleaved_heads = 0;

  /// Where given, view.bytes alone do not tell the numbers: they are read by read_scaled.
  std::optional<Scales> scales = std::nullopt;
};

/// Tensors by Hugging Face name, sorted.
using NamedTensors = std::map<std::string, Tensor, std::less<>>;

}  // namespace cleave::ckpt
