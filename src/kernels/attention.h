#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/isa.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Rows [first_row, first_row + num_rows) of a step belong to one sequence and stand at positions start_position,
/// start_position + 1, ... Position p of the sequence lives in block blocks[p / block_size], slot p % block_size.
struct SequenceSpan {
  int64_t first_row;
  int64_t num_rows;
  int64_t start_position;
  const int32_t* blocks;
  int64_t slot = 0;  // where the sequence's states are (recurrent.h)
};

/// Keys and values of one layer in blocks of positions, borrowed. Within a block keys are stored by dimension, so that
/// scores of neighbouring positions are computed side by side without sums across a vector, values by position:
///   keys    [blocks][kv_heads][key_dim][block_size]
///   values  [blocks][kv_heads][block_size][value_dim]
/// In int8 a key or value is a multiple of a scale of its position and head, the largest of its numbers being 127; the
/// f32 scales [block_size] follow the numbers of a head's block. Keys are rotated before (simd/rotation-inl.h).
/// Where values are the first value_dim numbers of the keys (latent attention) there are keys alone.
struct KvCache {
  std::byte* keys;
  std::byte* values;
  DType dtype;  // F32, F16 or I8
  int64_t block_size;
  int64_t kv_heads;
  int64_t key_dim;
  int64_t value_dim;
  bool values_in_keys = false;  // `values` is not used
};

/// Bytes of one block of keys and values, the distance between blocks in either array.
size_t key_block_bytes(const KvCache& cache);
size_t value_block_bytes(const KvCache& cache);

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
