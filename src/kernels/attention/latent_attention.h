#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/attention/attention.h"
#include "kernels/matrix/matrix.h"

namespace cleave::kernels {

/// One layer of multi-head latent attention (DeepSeek-AI, "DeepSeek-V2", 2024). The cache holds, for each position, one
/// latent vector of latent_dim numbers, from which every head computes its own keys and values, and one rotated key
/// part of rope_dim numbers, which all heads share:
///   key of head h    [keys[h] * latent | rotated part]    nope_dim + rope_dim numbers
///   value of head h  values[h] * latent                   value_dim numbers
struct LatentParams {
  AttentionParams attention;  // without slopes and sinks
  int64_t nope_dim;           // dimensions of a query and key before the rotated ones, a head's own
  int64_t rope_dim;           // rotated dimensions
  int64_t latent_dim;
  int64_t value_dim;
  std::span<const Matrix* const> absorb;  // by head: [latent_dim, nope_dim], keys[h] transposed
  std::span<const Matrix* const> keys;    // by head: [nope_dim, latent_dim]
  std::span<const Matrix* const> values;  // by head: [value_dim, latent_dim]
};

/// The rows of a span, from its first one on, for which latent_attention() computes keys and values of all positions
/// and attends to those ("expanded", for many rows). For the others it multiplies the queries with absorb[h] and
/// attends to the cached vectors themselves ("as cached", for few rows), which takes more work for each pair of
/// positions but none for each cached position. Rows of a prompt are expanded as far as there is memory, however few
/// they are, but with a cache of f32, which is for those who want all rows to be computed in one way, rounding
/// included.
int64_t expanded_rows(const LatentParams& params, const SequenceSpan& span, const KvCache& cache);

/// Bytes of scratch that latent_attention() needs for steps of up to `max_rows` rows and sequences of up to
/// `max_positions` positions.
size_t latent_attention_scratch_bytes(const LatentParams& params, const KvCache& cache, int64_t max_rows,
                                      int64_t max_positions, int threads);

/// Computes out[T, q_heads, value_dim] from q_nope[T, q_heads, nope_dim], q_rope[T, q_heads, rope_dim] and the cache,
/// in which store_kv() has put the rows of this step: keys of latent_dim + rope_dim numbers, with values in keys. Each
/// span takes one of two ways (see expanded_rows()), the faster one where its kind is not said, whose results differ by
/// rounding. Runs on all threads of the pool. REQUIRES: scratch is aligned to 64 bytes and holds
/// latent_attention_scratch_bytes(); out overlaps nothing.
void latent_attention(const float* q_nope, const float* q_rope, std::span<const SequenceSpan> spans,
                      const KvCache& cache, const LatentParams& params, float* out, std::span<std::byte> scratch,
                      ThreadPool& pool);

}  // namespace cleave::kernels
