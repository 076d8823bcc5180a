#include "kernels/reference/reference.h"

namespace cleave::kernels::reference {

void matmul(const float* x, const float* w, int64_t m, int64_t n, int64_t k, float* y) {
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column) {
      double sum = 0;
      for (int64_t i = 0; i < k; ++i) sum += static_cast<double>(x[row * k + i]) * w[column * k + i];
      y[row * n + column] = static_cast<float>(sum);
    }
}

}  // namespace cleave::kernels::reference
