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

/// Bytes of one block of keys, and of one block of values: the distance from a block to the next in KvCache::keys and
/// KvCache::values.
size_t key_block_bytes(const KvCache& cache);
size_t value_block_bytes(const KvCache& cache);

/// Writes k[T, kv_heads, key_dim] and v[T, kv_heads, value_dim], T rows of a step, to their positions in the cache. v
/// is not read where values are in keys.
void store_kv(const float* k, const float* v, std::span<const SequenceSpan> spans, const KvCache& cache,
              ThreadPool& pool, Isa isa = best_isa());

/// Reads keys of the first KV head back from the cache, as rounded there: dimensions [first_dim, first_dim + dims) at
/// positions [first, first + count) of the sequence with block table `blocks`, into out[count, dims]. REQUIRES: in
/// int8, first_dim and dims are multiples of the dimensions that are rotated together (AttentionSizes::rotation).
void load_keys(const KvCache& cache, const int32_t* blocks, int64_t first, int64_t count, int64_t first_dim,
               int64_t dims, float* out, ThreadPool& pool, Isa isa = best_isa());

/// Bytes of scratch that attention() needs. They depend on the shapes alone, not on the number or length of sequences.
size_t attention_scratch_bytes(const AttentionParams& params, const KvCache& cache, int threads);

/// Computes out[T, q_heads, value_dim] from q[T, q_heads, key_dim] and the cache, in which store_kv() has put the rows
/// of this step. Query head h reads KV head (h + first_head) / group. The softmax is computed on the fly, a stretch of
/// positions after the other (Dao et al., "FlashAttention", 2022). Where a step has too few rows and heads to keep all
/// threads busy, threads share the positions of a row, too ("flash-decoding").
///
/// Arithmetic is f32. Spans of many queries (64 rows, fewer if all heads share a key) instead round queries, keys,
/// weights and values to bf16 if the cache is f16 or int8 and the processor multiplies bf16 faster; sums stay f32. A
/// row's result depends on the number of threads in no bit, and on the other rows of the step only by that choice,
/// which a span's kind makes where it is said. REQUIRES: every query head has a KV head in the cache; scratch is
/// aligned to 64 bytes and holds attention_scratch_bytes(); out overlaps nothing.
void attention(const float* q, std::span<const SequenceSpan> spans, const KvCache& cache, const AttentionParams& params,
               float* out, std::span<std::byte> scratch, ThreadPool& pool, Isa isa = best_isa());

}  // namespace cleave::kernels
