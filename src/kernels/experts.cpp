#include "kernels/experts.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/split.h"

namespace cleave::kernels {

void route(const int32_t* indices, int64_t tokens, int64_t slots, int64_t experts, int32_t* offsets, int32_t* order,
           int32_t* position) {
  // A counting sort: count per expert, running sum, then place the pairs in their order; placing moves each expert's
  // start to its end, which is the next expert's start, so one shift restores the offsets.
  const int64_t pairs = tokens * slots;
  std::fill_n(offsets, experts + 1, 0);
  for (int64_t pair = 0; pair < pairs; ++pair) {
    CHECK_GE(indices[pair], 0);
    CHECK_LT(indices[pair], experts);
    ++offsets[indices[pair] + 1];
  }
  for (int64_t expert = 0; expert < experts; ++expert) offsets[expert + 1] += offsets[expert];
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const int32_t row = offsets[indices[pair]]++;
    order[row] = static_cast<int32_t>(pair);
    position[pair] = row;
  }
  std::copy_backward(offsets, offsets + experts, offsets + experts + 1);
  offsets[0] = 0;
}

void dispatch(const float* x, const int32_t* order, int64_t tokens, int64_t slots, int64_t n, float* rows,
              ThreadPool& pool) {
  pool.parallel_for(tokens * slots, row_grain(n), [&](int64_t begin, int64_t end) {
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
        const float weight = weights[token * slots + slot];
        const float* row = rows + position[token * slots + slot] * n;
        for (int64_t i = 0; i < n; ++i) sum[i] += weight * row[i];
      }
    }
  });
}

}  // namespace cleave::kernels
