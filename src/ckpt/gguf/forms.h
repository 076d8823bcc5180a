#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// The counts that tensor shapes are checked against.
struct ModelSizes {
  int64_t num_layers = 0;
  int64_t stored_layers = 0;   // with those of multi-token prediction behind them
  std::vector<int64_t> heads;  // of each layer; 0 where it has no attention
  std::vector<int64_t> kv_heads;
  int64_t num_experts = 0;                                // 0 for a dense model
  int64_t key_heads = 0, value_heads = 0, value_dim = 0;  // of gated delta nets
};

/// What a form works on. Borrows all.
struct FormInput {
  const std::vector<TensorView>& stored;  // as the rule names them
  const ModelSizes& sizes;
  int64_t layer;          // 0 for a tensor outside of layers
  std::string_view name;  // of the first stored tensor, for errors
  const std::string& file;
};

/// The tensor that Hugging Face has, of what GGML stored in `form` (architectures.inc lists the forms). Throws
/// Error(Corrupt) where a shape does not fit the counts. REQUIRES: `form` is one of them, or empty: as it is.
Tensor in_form(std::string_view form, const FormInput& input);

}  // namespace cleave::ckpt
