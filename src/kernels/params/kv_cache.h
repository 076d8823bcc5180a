#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace cleave::kernels {

/// Keys and values of one layer, borrowed. They lie in blocks of block_size positions, any of which can belong to any
/// sequence (Kwon et al., "PagedAttention", 2023). Within a block keys are stored by dimension, so that the scores of
/// neighbouring positions fill a vector and nothing is summed across one; values are stored by position:
///   keys    [blocks][kv_heads][key_dim][block_size]
///   values  [blocks][kv_heads][block_size][value_dim]
/// In int8 each position and head has one f32 scale; a stored number times it is the number meant, and the largest one
/// is stored as 127. The scales [block_size] follow the numbers of their head in each block. Keys are rotated before
/// they are rounded (simd/rotation-inl.h).
struct KvCache {
  std::byte* keys;
  std::byte* values;  // not used where values_in_keys
  DType dtype;        // F32, F16 or I8
  int64_t block_size;
  int64_t kv_heads;
  int64_t key_dim;
  int64_t value_dim;
  bool values_in_keys = false;  // a value is the first value_dim numbers of its key (latent attention)
};

}  // namespace cleave::kernels
