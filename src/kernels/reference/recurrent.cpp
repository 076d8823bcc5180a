#include <cmath>
#include <vector>

#include "kernels/reference/reference.h"

namespace cleave::kernels::reference {

void causal_conv(const float* x, int64_t rows, int64_t channels, int64_t width, const float* weight, float* y) {
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t c = 0; c < channels; ++c) {
      double sum = 0;
      for (int64_t j = 0; j < width; ++j)
        if (const int64_t from = t - (width - 1) + j; from >= 0)
          sum += static_cast<double>(weight[j * channels + c]) * x[from * channels + c];
      y[t * channels + c] = static_cast<float>(sum);
    }
}

void linear_attention(const LinearAttentionInput& input, int64_t rows, const LinearAttentionParams& params,
                      float* out) {
  const int64_t n = params.n, p = params.p, heads = params.heads;
  for (int64_t h = 0; h < heads; ++h) {
    std::vector<double> state(static_cast<size_t>(n * p));
    for (int64_t t = 0; t < rows; ++t) {
      const int64_t key = (t * params.key_heads + (h + params.first_head) / params.group) * n;
      const double rate = input.rate == nullptr ? 1 : input.rate[t * heads + h];
      for (int64_t c = 0; c < p; ++c) {
        double u = input.v[(t * heads + h) * p + c], known = 0, sum = 0;
        for (int64_t i = 0; i < n; ++i) {
          const int64_t of_a = params.a_size == 1 ? 0 : i;
          const double a = uses_channels(params) ? params.a[of_a * heads + h] : params.a[h * params.a_size + of_a];
          state[i * p + c] *= std::exp(rate * a);
          known += input.k[key + i] * state[i * p + c];
        }
        if (input.beta != nullptr) u = input.beta[t * heads + h] * (u - known);
        for (int64_t i = 0; i < n; ++i) sum += input.q[key + i] * (state[i * p + c] += input.k[key + i] * u);
        out[(t * heads + h) * p + c] = static_cast<float>(sum);
      }
    }
  }
}

void linear_recurrence(const float* a, const float* b, int64_t rows, int64_t channels, float* y) {
  for (int64_t c = 0; c < channels; ++c) {
    double h = 0;
    for (int64_t at = c; at < rows * channels; at += channels) {
      h = a[at] * h + b[at];
      y[at] = static_cast<float>(h);
    }
  }
}

}  // namespace cleave::kernels::reference
