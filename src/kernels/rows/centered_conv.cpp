#include "kernels/rows/centered_conv.h"

#include <algorithm>

#include "kernels/work_sharing.h"

namespace cleave::kernels {

void centered_conv(const float* x, std::span<const SequenceSpan> spans, int64_t heads, int64_t dims, int64_t width,
                   const float* weight, float* y, ThreadPool& pool) {
  const int64_t stride = heads * dims;
  for (const SequenceSpan& span : spans) {
    const float* in = x + span.first_row * stride;
    float* out = y + span.first_row * stride;
    pool.parallel_for(span.num_rows * heads, row_grain(width * dims, 1), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t t = i / heads, h = i % heads;
        float* sums = out + t * stride + h * dims;
        std::fill_n(sums, dims, 0.0f);
        const int64_t first = std::max<int64_t>(0, width / 2 - t);
        const int64_t last = std::min(width, span.num_rows + width / 2 - t);
        for (int64_t j = first; j < last; ++j) {
          const float* from = in + (t + j - width / 2) * stride + h * dims;
          for (int64_t d = 0; d < dims; ++d) sums[d] += weight[h * width + j] * from[d];
        }
      }
    });
  }
}

}  // namespace cleave::kernels
