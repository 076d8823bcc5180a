#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference/reference.h"

namespace cleave::kernels::reference {
namespace {

double apply(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::Silu:
      return x / (1 + std::exp(-x));
    case UnaryKind::Gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case UnaryKind::GeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case UnaryKind::Relu:
      return std::max(x, 0.0);
    case UnaryKind::Relu2:
      return std::max(x, 0.0) * std::max(x, 0.0);
    case UnaryKind::Tanh:
      return std::tanh(x);
    case UnaryKind::Sigmoid:
      return 1 / (1 + std::exp(-x));
    case UnaryKind::Exp:
      return std::exp(x);
    case UnaryKind::Softplus:
      return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
    case UnaryKind::Log:
      return std::log(x);
    case UnaryKind::Floor:
      return std::floor(x);
    case UnaryKind::Sqrt:
      return std::sqrt(x);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

float unary(UnaryKind kind, float x) {
  return static_cast<float>(apply(kind, x));
}

void softmax(const float* x, int64_t rows, int64_t n, float* y) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    const double peak = *std::max_element(x, x + n);
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::isinf(peak) ? 0.0 : std::exp(x[i] - peak);
    for (int64_t i = 0; i < n; ++i) y[i] = sum == 0 ? 0.0f : static_cast<float>(std::exp(x[i] - peak) / sum);
  }
}

}  // namespace cleave::kernels::reference
