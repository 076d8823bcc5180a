#pragma once

#include <cstdint>

namespace cleave::kernels {

/// Options of attention. The score of a query and a key is computed in steps:
///   s = q.k * scale
///   s = softcap * tanh(s / softcap)                           if softcap is not 0
///   s = s + alibi_scale * alibi_slopes[head] * key_position   if there are slopes
///   s = s + distance_bias[head][n + key_position - position]  if there are biases; distances are clamped to [-n, n]
/// A query at position p sees the key positions of its sequence from `first` to `last`, both included:
///               first                   last
///   plain       0                       p
///   window > 0  max(0, p - window + 1)  p
///   chunk > 0   p / chunk * chunk       p
///   not causal  as above                the last position of the step; with a window at most p + window - 1
/// With a window and a chunk `first` is the larger of both.
struct AttentionParams {
  int64_t q_heads = 1;
  int64_t group = 1;       // query heads that share a KV head
  int64_t first_head = 0;  // query heads of the first KV head's group that precede query head 0, on other ranks
  float scale = 1;
  int64_t window = 0;
  int64_t chunk = 0;
  float softcap = 0;
  const float* alibi_slopes = nullptr;  // [q_heads]
  bool alibi_bfloat16 = false;          // slope * position is rounded to bfloat16 before alibi_scale (Falcon)
  float alibi_scale = 1;                // Falcon multiplies the bias by 1 / sqrt(head_dim)
  const float* sinks = nullptr;         // [q_heads]: one more logit in the softmax's denominator
  bool causal = true;
  const float* distance_bias = nullptr;  // [q_heads][2n + 1]
  int64_t bias_distance = 0;             // n
};

}  // namespace cleave::kernels
