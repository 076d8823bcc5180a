#pragma once

#include <cstdint>

namespace cleave::kernels {

/// Which numbers of each head's vector a rotary embedding rotates, and in which pairs.
struct RopeParams {
  int64_t heads;
  int64_t head_dim;
  int64_t rotary_dim;        // even and at most head_dim; later dimensions are copied
  bool interleaved = false;  // pairs are (2i, 2i + 1) instead of (i, i + rotary_dim / 2)
};

}  // namespace cleave::kernels
