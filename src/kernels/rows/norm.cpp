#include "kernels/rows/norm.h"

#include <cmath>

#include "kernels/simd/table.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {

void rms_norm(const float* x, const float* weight, float weight_offset, float eps, int64_t rows, int64_t n, float* y,
              ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) table.rms_norm(x + row * n, weight, weight_offset, eps, n, y + row * n);
  });
}

void layer_norm(const float* x, const float* weight, const float* bias, float eps, int64_t rows, int64_t n, float* y,
                ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) table.layer_norm(x + row * n, weight, bias, eps, n, y + row * n);
  });
}

void sum_squares(const float* x, const float* mean, int64_t rows, int64_t n, float* out, ThreadPool& pool) {
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float m = mean != nullptr ? mean[row] : 0.0f;
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double d = x[row * n + i] - m;
        sum += d * d;
      }
      out[row] = static_cast<float>(sum);
    }
  });
}

void normalize(const float* x, const float* mean, const float* variance, const float* weight, float weight_offset,
               const float* bias, float eps, int64_t rows, int64_t n, float* y, ThreadPool& pool) {
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float m = mean != nullptr ? mean[row] : 0.0f;
      const float scale = 1.0f / std::sqrt(variance[row] + eps);
      for (int64_t i = 0; i < n; ++i) {
        const float w = weight != nullptr ? weight_offset + weight[i] : 1.0f;
        y[row * n + i] = (x[row * n + i] - m) * scale * w + (bias != nullptr ? bias[i] : 0.0f);
      }
    }
  });
}

}  // namespace cleave::kernels
