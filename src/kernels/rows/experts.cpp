#include "kernels/rows/experts.h"

#include <algorithm>

#include "kernels/work_sharing.h"

namespace cleave::kernels {

void route(const int32_t* indices, int64_t tokens, int64_t slots, int64_t first, int64_t experts, int32_t* offsets,
           int32_t* order, int32_t* position) {
  // A counting sort: pairs are counted per expert, counts become offsets, and pairs are placed in their order. Placing
  // moves each expert's start to its end, which is the next expert's start, so that one shift restores the offsets.
  const int64_t pairs = tokens * slots;
  std::fill_n(offsets, experts + 1, 0);
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const int64_t expert = indices[pair] - first;
    if (expert >= 0 && expert < experts) ++offsets[expert + 1];
  }
  for (int64_t expert = 0; expert < experts; ++expert) offsets[expert + 1] += offsets[expert];
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const int64_t expert = indices[pair] - first;
    position[pair] = -1;
    if (expert < 0 || expert >= experts) continue;
    const int32_t row = offsets[expert]++;
    order[row] = static_cast<int32_t>(pair);
    position[pair] = row;
  }
  std::copy_backward(offsets, offsets + experts, offsets + experts + 1);
  offsets[0] = 0;
}

void dispatch(const float* x, const int32_t* order, int64_t count, int64_t slots, int64_t n, float* rows,
              ThreadPool& pool) {
  pool.parallel_for(count, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) std::copy_n(x + order[row] / slots * n, n, rows + row * n);
  });
}

void combine(const float* rows, const int32_t* position, const float* weights, int64_t tokens, int64_t slots, int64_t n,
             float* out, ThreadPool& pool) {
  pool.parallel_for(tokens, row_grain(n, slots), [&](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      float* sum = out + token * n;
      std::fill_n(sum, n, 0.0f);
      for (int64_t slot = 0; slot < slots; ++slot) {
        const int64_t pair = token * slots + slot;
        if (position[pair] < 0) continue;
        const float weight = weights[pair];
        const float* row = rows + position[pair] * n;
        for (int64_t i = 0; i < n; ++i) sum[i] += weight * row[i];
      }
    }
  });
}

}  // namespace cleave::kernels
