#include "kernels/norm.h"

#include "kernels/simd/table.h"
#include "kernels/split.h"

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

}  // namespace cleave::kernels
