#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/params/sequence_span.h"

namespace cleave::kernels {

/// Attention of all tokens of a sequence to one another, every head with keys of its own, whose scores also depend on
/// vectors by distance. The score of a query at position p and a key at position s is
///   scale * (q.k + q.position_keys[row] + k.position_queries[row]), row = rows[n + clamp(s - p, -n, n)]
/// (He et al., "DeBERTa", 2021). A weight is the softmax of the scores, or with angle_power the power of
/// 1 - acos(score) / pi (Zeng et al., "You Only Sample (Almost) Once", 2021), not divided by the weights' sum.
struct RelativeAttentionParams {
  int64_t heads = 1;
  int64_t key_dim = 1;
  int64_t value_dim = 1;
  float scale = 1;
  int64_t angle_power = 0;
  const float* position_keys = nullptr;     // [num_rows, heads, key_dim], or null
  const float* position_queries = nullptr;  // the same
  int64_t num_rows = 0;
  std::span<const int32_t> rows = {};  // [2n + 1], each below num_rows
};

/// Bytes of scratch that relative_attention() needs for sequences of up to `longest` tokens.
size_t relative_attention_scratch_bytes(const RelativeAttentionParams& params, int64_t longest, int threads);

/// Computes out[T, heads, value_dim] from q[T, heads, key_dim], k[T, heads, key_dim] and v[T, heads, value_dim], where
/// each span is a whole sequence. Sums are f32, in the order of dimensions and positions. REQUIRES: scratch is aligned
/// to 64 bytes and holds relative_attention_scratch_bytes(); out overlaps nothing.
void relative_attention(const float* q, const float* k, const float* v, std::span<const SequenceSpan> spans,
                        const RelativeAttentionParams& params, float* out, std::span<std::byte> scratch,
                        ThreadPool& pool);

}  // namespace cleave::kernels
