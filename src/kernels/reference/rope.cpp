#include "kernels/reference/reference.h"

namespace cleave::kernels::reference {

void rope(const float* x, int64_t rows, const RopeParams& params, const float* cos, const float* sin, float* y) {
  const int64_t half = params.rotary_dim / 2;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t head = 0; head < params.heads; ++head) {
      const float* in = x + (row * params.heads + head) * params.head_dim;
      float* out = y + (row * params.heads + head) * params.head_dim;
      for (int64_t i = 0; i < params.head_dim; ++i) out[i] = in[i];
      for (int64_t i = 0; i < half; ++i) {
        const int64_t a = params.interleaved ? 2 * i : i;
        const int64_t b = params.interleaved ? 2 * i + 1 : i + half;
        const float c = cos[row * half + i];
        const float s = sin[row * half + i];
        out[a] = in[a] * c - in[b] * s;
        out[b] = in[b] * c + in[a] * s;
      }
    }
}

}  // namespace cleave::kernels::reference
