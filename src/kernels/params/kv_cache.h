#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace cleave::kernels {

/// Keys and values of one layer in blocks of positions, borrowed. Within a block keys are stored by dimension, so that
/// scores of neighbouring positions are computed side by side without sums across a vector, values by position:
///   keys    [blocks][kv_heads][key_dim][block_size]
///   values  [blocks][kv_heads][block_size][value_dim]
/// In int8 a key or value is a multiple of a scale of its position and head, the largest of its numbers being 127; the
/// f32 scales [block_size] follow the numbers of a head's block. Keys are rotated before (simd/rotation-inl.h).
/// Where values are the first value_dim numbers of the keys (latent attention) there are keys alone.
struct KvCache {
  std::byte* keys;
  std::byte* values;
  DType dtype;  // F32, F16 or I8
  int64_t block_size;
  int64_t kv_heads;
  int64_t key_dim;
  int64_t value_dim;
  bool values_in_keys = false;  // `values` is not used
};

}  // namespace cleave::kernels
