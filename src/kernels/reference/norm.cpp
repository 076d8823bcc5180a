#include <cmath>

#include "kernels/reference/reference.h"

namespace cleave::kernels::reference {

void rms_norm(const float* x, const float* weight, float weight_offset, float eps, int64_t rows, int64_t n, float* y) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    double squares = 0;
    for (int64_t i = 0; i < n; ++i) squares += static_cast<double>(x[i]) * x[i];
    const double factor = 1 / std::sqrt(squares / static_cast<double>(n) + eps);
    for (int64_t i = 0; i < n; ++i) {
      const double w = weight == nullptr ? 1.0 : static_cast<double>(weight_offset) + weight[i];
      y[i] = static_cast<float>(x[i] * factor * w);
    }
  }
}

void layer_norm(const float* x, const float* weight, const float* bias, float eps, int64_t rows, int64_t n, float* y) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    double mean = 0;
    for (int64_t i = 0; i < n; ++i) mean += x[i] / static_cast<double>(n);
    double variance = 0;
    for (int64_t i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(n);
    const double factor = 1 / std::sqrt(variance + eps);
    for (int64_t i = 0; i < n; ++i) {
      const double w = weight == nullptr ? 1.0 : weight[i];
      y[i] = static_cast<float>((x[i] - mean) * factor * w + (bias == nullptr ? 0.0 : bias[i]));
    }
  }
}

}  // namespace cleave::kernels::reference
