#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/params/attention_params.h"
#include "kernels/params/kv_cache.h"
#include "kernels/params/sequence_span.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

/// Bytes of one block of keys and values, the distance between blocks in either array.
size_t key_block_bytes(const KvCache& cache);
size_t value_block_bytes(const KvCache& cache);

/// Writes k[T, kv_heads, key_dim] and v[T, kv_heads, value_dim] to their positions in the cache; v is not read where
/// values are in keys.
void store_kv(const float* k, const float* v, std::span<const SequenceSpan> spans, const KvCache& cache,
              ThreadPool& pool, Isa isa = best_isa());

/// Writes what store_kv() has kept of dimensions [first_dim, first_dim + dims) of the first head's keys at positions
/// [first, first + count) of a sequence to out[count, dims]. REQUIRES: in int8, whole blocks of dimensions that are
/// rotated together.
void load_keys(const KvCache& cache, const int32_t* blocks, int64_t first, int64_t count, int64_t first_dim,
               int64_t dims, float* out, ThreadPool& pool, Isa isa = best_isa());

/// Bytes of scratch that attention() needs; depends on the shapes alone, not on the number or length of sequences.
size_t attention_scratch_bytes(const AttentionParams& params, const KvCache& cache, int threads);

/// out[T, q_heads, value_dim] from q[T, q_heads, key_dim] and the cache, in which store_kv() has put the rows of this
/// step. Query head h reads KV head (h + first_head) / group. Where a step has too few rows and heads for the threads,
/// they share the positions ("flash-decoding"). Dao et al., "FlashAttention", 2022 (softmax on the fly); Kwon et al.,
/// "PagedAttention", 2023 (block tables).
///
/// Everything is in f32, but that spans of many queries round queries, keys, weights and values to bf16 where the cache
/// is f16 or int8 and the processor multiplies bf16 faster; sums stay f32. The result of a row depends on the other
/// rows of the step in nothing but that, and on the number of threads not at all, to the bit. REQUIRES: every query
/// head has its key-value head; scratch is aligned to 64 bytes; out overlaps nothing.
void attention(const float* q, std::span<const SequenceSpan> spans, const KvCache& cache, const AttentionParams& params,
               float* out, std::span<std::byte> scratch, ThreadPool& pool, Isa isa = best_isa());

}  // namespace cleave::kernels
