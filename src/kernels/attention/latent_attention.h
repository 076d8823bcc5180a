#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/attention/attention.h"
#include "kernels/matrix/matrix.h"

namespace cleave::kernels {

/// Multi-head latent attention (DeepSeek-V2, 2024): the cache keeps one vector of `low` numbers for each position, of
/// which every head makes its own keys and values, and `turned` numbers that the keys of all heads share.
struct LatentParams {
  AttentionParams attention;  // without slopes and sinks
  int64_t own;                // dimensions of a query and key that are the head's own
  int64_t turned;             // those that follow, of which the keys are the same for all heads
  int64_t low, value;
  /// By head. keys and values make them of a cached vector; absorb is keys transposed.
  std::span<const Matrix* const> absorb;  // [low, own]
  std::span<const Matrix* const> keys;    // [own, low]
  std::span<const Matrix* const> values;  // [value, low]
};

/// Whether a span's keys and values are made out of the cache, which its rows then attend to with own + turned and
/// value dimensions; otherwise queries are multiplied with what makes keys, and attend to the cached vectors.
bool expands(const LatentParams& params, const SequenceSpan& span, const KvCache& cache);

/// For steps of up to `max_rows` rows and sequences of up to `max_positions` positions.
size_t latent_attention_scratch_bytes(const LatentParams& params, const KvCache& cache, int64_t max_rows,
                                      int64_t max_positions, int threads);

/// out[T, q_heads, value] from q_own[T, q_heads, own], q_turned[T, q_heads, turned] and the cache, in which store_kv()
/// has put the rows of this step: keys [low + turned], with values in keys. Each span by the form that takes less time,
/// which rounds otherwise than the other one. REQUIRES: scratch is aligned to 64 bytes; out overlaps nothing.
void latent_attention(const float* q_own, const float* q_turned, std::span<const SequenceSpan> spans,
                      const KvCache& cache, const LatentParams& params, float* out, std::span<std::byte> scratch,
                      ThreadPool& pool);

}  // namespace cleave::kernels
