#include "kernels/rows/rope.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Rotates one head of one row. Both numbers of a pair are read before one is written, so that y may be x.
void rotate(const float* x, const RopeParams& params, const float* cos, const float* sin, float* y) {
  const int64_t half = params.rotary_dim / 2;
  const int64_t step = params.interleaved ? 2 : 1;
  const int64_t partner = params.interleaved ? 1 : half;
  for (int64_t i = 0; i < half; ++i) {
    const float a = x[i * step];
    const float b = x[i * step + partner];
    y[i * step] = a * cos[i] - b * sin[i];
    y[i * step + partner] = b * cos[i] + a * sin[i];
  }
  if (x != y) std::copy(x + params.rotary_dim, x + params.head_dim, y + params.rotary_dim);
}

}  // namespace

void rope_table(const int32_t* positions, int64_t rows, const float* inv_freq, int64_t half, float scale, float* cos,
                float* sin, ThreadPool& pool) {
  // A sine costs about as much as copying 16 elements.
  pool.parallel_for(rows, row_grain(half, 32), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto position = static_cast<float>(positions[row]);
      for (int64_t i = 0; i < half; ++i) {
        const float angle = position * inv_freq[i];
        cos[row * half + i] = std::cos(angle) * scale;
        sin[row * half + i] = std::sin(angle) * scale;
      }
    }
  });
}

void rope(const float* x, int64_t rows, const RopeParams& params, const float* cos, const float* sin, float* y,
          ThreadPool& pool) {
  CHECK_EQ(params.rotary_dim % 2, 0);
  CHECK_LE(params.rotary_dim, params.head_dim);
  const int64_t half = params.rotary_dim / 2;
  const int64_t row_elements = params.heads * params.head_dim;
  pool.parallel_for(rows, row_grain(row_elements, 2), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      for (int64_t head = 0; head < params.heads; ++head) {
        const int64_t offset = row * row_elements + head * params.head_dim;
        rotate(x + offset, params, cos + row * half, sin + row * half, y + offset);
      }
  });
}

}  // namespace cleave::kernels
