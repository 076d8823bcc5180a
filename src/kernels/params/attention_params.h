#pragma once

#include <cstdint>

namespace cleave::kernels {

/// Scores are s = q.k * scale, then soft-capped, then biased:
///   s = softcap * tanh(s / softcap)        where softcap is not 0
///   s = s + alibi_scale * slope[head] * key_position
/// A query at position p sees key positions in (p - window, p], all up to p where window is 0, those from the last
/// multiple of chunk up to p where chunk is not 0, and every position of its span and before where it is not causal
/// (window then also bounds the other side: positions below p + window).
struct AttentionParams {
  int64_t q_heads = 1;
  int64_t group = 1;       // query heads that share a key-value head
  int64_t first_head = 0;  // of the query heads of the first key-value head, those before the first one here
  float scale = 1;
  int64_t window = 0;
  int64_t chunk = 0;
  float softcap = 0;
  const float* alibi_slopes = nullptr;  // [q_heads]
  bool alibi_bfloat16 = false;          // slope * position is rounded to bfloat16 before alibi_scale (Falcon)
  float alibi_scale = 1;                // Falcon multiplies the bias by 1 / sqrt(head_dim)
  const float* sinks = nullptr;         // [q_heads]: one more logit in the softmax's denominator
  bool causal = true;
};

}  // namespace cleave::kernels
