#include <algorithm>
#include <cmath>
#include <vector>

#include "base/float16.h"
#include "kernels/reference/reference.h"

namespace cleave::kernels::reference {
namespace {

bool visible(const AttentionParams& params, int64_t query, int64_t key) {
  if (params.causal && key > query) return false;
  if (params.chunk > 0 && key / params.chunk != query / params.chunk) return false;
  return params.window == 0 || (key > query - params.window && key < query + params.window);
}

double score(const AttentionInput& input, const AttentionParams& params, const float* q, const float* k, int64_t head,
             int64_t query, int64_t key) {
  double s = 0;
  for (int64_t d = 0; d < input.key_dim; ++d) s += static_cast<double>(q[d]) * k[d];
  s *= params.scale;
  if (params.softcap != 0) s = params.softcap * std::tanh(s / params.softcap);
  if (params.alibi_slopes != nullptr) {
    float bias = params.alibi_slopes[head] * static_cast<float>(key);
    if (params.alibi_bfloat16) bias = to_float(to_bfloat16(bias));
    s += static_cast<double>(bias) * params.alibi_scale;
  }
  if (params.distance_bias != nullptr) {
    const int64_t n = params.bias_distance;
    s += params.distance_bias[head * (2 * n + 1) + n + std::clamp(key - query, -n, n)];
  }
  return s;
}

}  // namespace

void attention(const AttentionInput& input, const AttentionParams& params, float* out) {
  std::vector<double> weights(static_cast<size_t>(input.length)), values(static_cast<size_t>(input.value_dim));
  for (int64_t vector = 0; vector < input.rows * params.q_heads; ++vector, out += input.value_dim) {
    const int64_t head = vector % params.q_heads;
    const int64_t query = input.length - input.rows + vector / params.q_heads;
    const double sink = params.sinks == nullptr ? -INFINITY : params.sinks[head];
    double peak = sink;
    for (int64_t key = 0; key < input.length; ++key) {
      const float* k = input.keys + (key * input.kv_heads + (head + params.first_head) / params.group) * input.key_dim;
      const bool seen = visible(params, query, key);
      weights[key] = seen ? score(input, params, input.q + vector * input.key_dim, k, head, query, key) : -INFINITY;
      peak = std::max(peak, weights[key]);
    }
    double sum = std::exp(sink - peak);
    for (double& weight : weights) sum += weight = std::exp(weight - peak);
    std::fill(values.begin(), values.end(), 0.0);
    for (int64_t key = 0; key < input.length; ++key) {
      if (weights[key] == 0) continue;
      const float* v =
          input.values + (key * input.kv_heads + (head + params.first_head) / params.group) * input.value_dim;
      for (int64_t d = 0; d < input.value_dim; ++d) values[d] += weights[key] * v[d];
    }
    for (int64_t d = 0; d < input.value_dim; ++d) out[d] = static_cast<float>(values[d] / sum);
  }
}

}  // namespace cleave::kernels::reference
