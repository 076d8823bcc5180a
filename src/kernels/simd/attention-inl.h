// Attention of one tile: some query vectors with one KV head, stretch by stretch, with a running softmax.
//
// For each stretch (simd/attention_tile.h) and query q:
//   1. scores[q][p] for its positions p
//   2. their maximum; if it exceeds that of all stretches before, the sums so far are scaled down to the new one
//   3. weights 2^(score - maximum), and sums[q][d] += weight * value[p][d]
// Sums start afresh with each split, and the parts of splits are merged in order. Several threads may therefore compute
// the splits of a tile.
//
// Three ways compute the same:
//   as stored  f32, up to kDirectQueries queries: numbers of the cache are converted as they are multiplied
//   widened    f32, more queries, or values that are parts of keys: each stretch is copied to f32 once for all queries
//   panels     bf16, with AttentionTile::panel_product: each stretch is packed into panels (attention_panels-inl.h)
// The two in f32 add the same terms in the same order. In all three a query's result depends on the positions that it
// sees alone, never on the other queries of the tile.
#pragma once

#include "kernels/simd/attention_panels-inl.h"
#include "kernels/simd/attention_softmax-inl.h"
#include "kernels/simd/attention_tile-inl.h"
#include "kernels/simd/attention_tile.h"
#include "kernels/simd/rotation-inl.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

constexpr int kDirectQueries = 8;

// The slots [begin, end) of block number i of a stretch that are seen.
struct Slots {
  int64_t begin, end;
};
CLEAVE_INLINE Slots slots_of(const Stretch& at, int64_t i, int64_t block_size) {
  const int64_t offset = i * block_size;
  return {at.begin > offset ? at.begin - offset : 0, least(at.end - offset, block_size)};
}

// The distance, in elements, from a head's part of this block to its part of the second block after it, for
// prefetching; 0 if there is none. Such a part is a few KB, too little for the processor's own prefetching. Speed of a
// core (Zen 4, pages of 4 KB): without 9 GB/s, one block ahead 14, two 18; into the first-level instead of the
// second-level cache 11.
CLEAVE_INLINE int64_t distance(const AttentionTile& tile, int64_t block, int64_t head_bytes, int64_t element_bytes) {
  constexpr int64_t kBlocks = 2;
  if ((block + kBlocks) * tile.cache->block_size >= tile.length) return 0;
  return (static_cast<int64_t>(tile.blocks[block + kBlocks]) - tile.blocks[block]) * tile.cache->kv_heads * head_bytes /
         element_bytes;
}

// Computes the scores of few queries, with keys as stored.
template <class Values>
CLEAVE_INLINE void score_stored(const AttentionTile& tile, const TileState& state, const Stretch& at) {
  using Element = typename Values::Element;
  const KvCache& cache = *tile.cache;
  const int64_t size = cache.block_size;
  for (int64_t i = at.begin / size; i * size < at.end; ++i) {
    const auto* keys = block_of<Element>(cache.keys, tile.sizes.key_head_bytes, tile, at.block + i);
    const int64_t ahead = distance(tile, at.block + i, tile.sizes.key_head_bytes, sizeof(Element));
    for_row_groups(
        tile.num_queries, [&]<int kQ>(int q) __attribute__((always_inline)) {
          multiply_columns<Values, kQ>({.a = state.q + q * state.sizes.q_stride,
                                        .b = keys,
                                        .c = state.scores + q * state.sizes.score_stride + i * size,
                                        .a_stride = state.sizes.q_stride,
                                        .b_stride = size,
                                        .c_stride = state.sizes.score_stride,
                                        .depth = cache.key_dim,
                                        .add = false,
                                        .ahead = ahead},
                                       size);
        });
  }
}

template <class Values>
CLEAVE_INLINE void weigh_stored(const AttentionTile& tile, const TileState& state, const Stretch& at) {
  using Element = typename Values::Element;
  const KvCache& cache = *tile.cache;
  const int64_t size = cache.block_size;
  for (int64_t i = at.begin / size; i * size < at.end; ++i) {
    const auto* values = block_of<Element>(cache.values, tile.sizes.value_head_bytes, tile, at.block + i);
    const int64_t ahead = distance(tile, at.block + i, tile.sizes.value_head_bytes, sizeof(Element));
    const Slots slots = slots_of(at, i, size);
    for_row_groups(
        tile.num_queries, [&]<int kQ>(int q) __attribute__((always_inline)) {
          multiply_columns<Values, kQ>({.a = state.scores + q * state.sizes.score_stride + i * size + slots.begin,
                                        .b = values + slots.begin * cache.value_dim,
                                        .c = state.sums + q * state.sizes.part_stride,
                                        .a_stride = state.sizes.score_stride,
                                        .b_stride = cache.value_dim,
                                        .c_stride = state.sizes.part_stride,
                                        .depth = slots.end - slots.begin,
                                        .add = true,
                                        .ahead = ahead},
                                       cache.value_dim);
        });
  }
}

// Copies `count` neighbouring numbers to f32, whole vectors. Prefetches what lies `ahead` elements further.
template <class Values>
CLEAVE_INLINE void widen_row(const typename Values::Element* from, int64_t count, int64_t ahead, float* to) {
  constexpr int kVectorsPerLine = 64 / (kLanes * static_cast<int>(sizeof(typename Values::Element)));
  for (int64_t i = 0; i < count; i += kLanes) {
    if (i / kLanes % kVectorsPerLine == 0) __builtin_prefetch(from + i + ahead, 0, 2);
    store(to + i, get_part<Values>(from + i, count - i));
  }
}

// Cuts the values out of the widened keys of the block that begins at position `offset` of the stretch, kLanes slots at
// a time.
CLEAVE_INLINE void cut_values(const AttentionTile& tile, const TileState& state, int64_t offset, const Slots& slots) {
  const int64_t value_dim = tile.cache->value_dim;
  const int64_t end = offset + slots.end;
  for (int64_t p = offset + slots.begin / kLanes * kLanes; p < end; p += kLanes)
    for (int64_t d = 0; d < value_dim; d += kLanes) {
      F32 rows[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i)
        rows[i] = load(state.keys + least(d + i, value_dim - 1) * state.sizes.score_stride + p);
      transpose_lanes(rows);
      float* to = state.values + p * state.sizes.sum_stride + d;
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i)
        if (p + i < end) store(to + i * state.sizes.sum_stride, rows[i]);
    }
}

// Copies a stretch's keys and values to f32.
template <class Values>
__attribute__((noinline)) void widen(const AttentionTile& tile, const TileState& state, const Stretch& at) {
  using Element = typename Values::Element;
  const KvCache& cache = *tile.cache;
  const int64_t size = cache.block_size;
  for (int64_t i = at.begin / size; i * size < at.end; ++i) {
    const auto* keys = block_of<Element>(cache.keys, tile.sizes.key_head_bytes, tile, at.block + i);
    const int64_t key_ahead = distance(tile, at.block + i, tile.sizes.key_head_bytes, sizeof(Element));
    for (int64_t d = 0; d < cache.key_dim; ++d)
      widen_row<Values>(keys + d * size, size, key_ahead, state.keys + d * state.sizes.score_stride + i * size);
    const Slots slots = slots_of(at, i, size);
    if (cache.values_in_keys) {
      cut_values(tile, state, i * size, slots);
      continue;
    }
    const auto* values = block_of<Element>(cache.values, tile.sizes.value_head_bytes, tile, at.block + i);
    const int64_t value_ahead = distance(tile, at.block + i, tile.sizes.value_head_bytes, sizeof(Element));
    for (int64_t p = slots.begin; p < slots.end; ++p)
      widen_row<Values>(values + p * cache.value_dim, cache.value_dim, value_ahead,
                        state.values + (i * size + p) * state.sizes.sum_stride);
  }
}

// Collects the scales of a stretch's positions from its blocks (int8).
CLEAVE_INLINE void gather_scales(const AttentionTile& tile, const Stretch& at, float* key_scales, float* value_scales) {
  const KvCache& cache = *tile.cache;
  const int64_t size = cache.block_size;
  for (int64_t i = at.begin / size; i * size < at.end; ++i) {
    const auto* keys = block_of<char>(cache.keys, tile.sizes.key_head_bytes, tile, at.block + i);
    __builtin_memcpy(key_scales + i * size, keys + tile.sizes.key_scales, static_cast<size_t>(size) * sizeof(float));
    if (cache.values_in_keys) continue;
    const auto* values = block_of<char>(cache.values, tile.sizes.value_head_bytes, tile, at.block + i);
    __builtin_memcpy(value_scales + i * size, values + tile.sizes.value_scales,
                     static_cast<size_t>(size) * sizeof(float));
  }
}

CLEAVE_INLINE FloatWeights weights_of(const TileState& state, int q) {
  return {state.scores + q * state.sizes.score_stride};
}

// Attends with kQ queries from q on to the widened stretch, of which only positions that one of them sees are computed.
template <int kQ>
CLEAVE_INLINE void attend_group(const AttentionTile& tile, TileState& state, int q, const Stretch& at,
                                const float* key_scales, const float* value_scales) {
  const AttentionSizes& sizes = state.sizes;
  const auto [base, block, begin, end] = seen_by(state, q, kQ, at);
  if (begin >= end) return;
  const int64_t from = begin / kLanes * kLanes;
  const int64_t to = (end + kLanes - 1) / kLanes * kLanes;
  multiply_columns<FloatValues, kQ>({.a = state.q + q * sizes.q_stride,
                                     .b = state.keys + from,
                                     .c = state.scores + q * sizes.score_stride + from,
                                     .a_stride = sizes.q_stride,
                                     .b_stride = sizes.score_stride,
                                     .c_stride = sizes.score_stride,
                                     .depth = tile.cache->key_dim,
                                     .add = false,
                                     .ahead = 0},
                                    to - from);
  for (int i = q; i < q + kQ; ++i)
    update_softmax(tile, state, i, at, key_scales, value_scales, from, to, weights_of(state, i));
  multiply_columns<FloatValues, kQ>({.a = state.scores + q * sizes.score_stride + begin,
                                     .b = state.values + begin * sizes.sum_stride,
                                     .c = state.sums + q * sizes.part_stride,
                                     .a_stride = sizes.score_stride,
                                     .b_stride = sizes.sum_stride,
                                     .c_stride = sizes.part_stride,
                                     .depth = end - begin,
                                     .add = true,
                                     .ahead = 0},
                                    sizes.sum_stride);
}

template <class Values>
CLEAVE_INLINE void attend_stretch(const AttentionTile& tile, TileState& state, const Stretch& at) {
  float scales[2][kMaxStretch + 16];
  const float* key_scales = nullptr;
  const float* value_scales = nullptr;
  if (tile.cache->dtype == DType::I8) {
    gather_scales(tile, at, scales[0], scales[1]);
    key_scales = scales[0];
    value_scales = tile.cache->values_in_keys ? key_scales : scales[1];
  }
  if (kPanels<Values> && tile.panel_product != nullptr) {
    attend_panels<Values>(tile, state, at, key_scales, value_scales);
  } else if (tile.num_queries <= kDirectQueries && !tile.cache->values_in_keys) {
    score_stored<Values>(tile, state, at);
    const int64_t from = at.begin / kLanes * kLanes;
    const int64_t to = (at.end + kLanes - 1) / kLanes * kLanes;
    for (int q = 0; q < tile.num_queries; ++q)
      update_softmax(tile, state, q, at, key_scales, value_scales, from, to, weights_of(state, q));
    weigh_stored<Values>(tile, state, at);
  } else {
    widen<Values>(tile, state, at);
    for_row_groups(
        tile.num_queries, [&]<int kQ>(int q) __attribute__((always_inline)) {
          attend_group<kQ>(tile, state, q, at, key_scales, value_scales);
        });
  }
}

// Merges a split's part into the merged parts of the splits before it.
void merge_part(const float* part, int64_t stride, float* sum) {
  const int64_t dims = stride - 16;
  const float maximum = part[dims];
  if (maximum == kLowest) return;
  const float before = sum[dims];
  const float top = before > maximum ? before : maximum;
  const float old_factor = exp2_negative(set(before - top))[0];
  const float factor = exp2_negative(set(maximum - top))[0];
  for (int64_t d = 0; d < dims; d += kLanes) store(sum + d, load(sum + d) * old_factor + load(part + d) * factor);
  sum[dims] = top;
  sum[dims + 1] = sum[dims + 1] * old_factor + part[dims + 1] * factor;
}

void finish_part(const AttentionTile& tile, int query, const float* part) {
  const int64_t dims = tile.sizes.sum_stride;
  const int64_t value_dim = tile.cache->value_dim;
  float* out = tile.out[query];
  float total = part[dims + 1];
  float factor = 1.0f;
  if (tile.params->sinks != nullptr) {  // a sink joins the denominator as a logit without a value
    const float logit = tile.params->sinks[tile.head[query]] * kLog2E;
    const float maximum = logit > part[dims] ? logit : part[dims];
    factor = exp2_negative(set(part[dims] - maximum))[0];
    total = total * factor + exp2_negative(set(logit - maximum))[0];
  }
  const bool rotated = tile.cache->values_in_keys && tile.sizes.rotation > 1;
  if (rotated) total *= static_cast<float>(tile.sizes.rotation);
  factor = total > 0 ? factor / total : 0.0f;
  int64_t d = 0;
  for (; d + kLanes <= value_dim; d += kLanes) store(out + d, load(part + d) * factor);
  for (; d < value_dim; ++d) out[d] = part[d] * factor;
  if (rotated) rotate(out, value_dim, tile.sizes.rotation);
}

// Makes a part of no positions.
CLEAVE_INLINE void clear_part(float* part, int64_t stride) {
  for (int64_t d = 0; d < stride; d += kLanes) store(part + d, F32{});
  part[stride - 16] = kLowest;
}

template <class Values>
CLEAVE_INLINE void attend_split(const AttentionTile& tile, TileState& state, int64_t split, int64_t first,
                                int64_t last) {
  const AttentionSizes& sizes = state.sizes;
  for (int q = 0; q < tile.num_queries; ++q) {
    clear_part(state.sums + q * sizes.part_stride, sizes.part_stride);
    state.maximum[q] = kLowest;
    state.total[q] = F32{};
  }
  const int64_t split_end = least(last, (split + 1) * sizes.split);
  for (int64_t base = split * sizes.split; base < split_end; base += sizes.stretch) {
    const Stretch at = {base, base / tile.cache->block_size, first > base ? first - base : 0,
                        least(split_end - base, sizes.stretch)};
    if (at.begin < at.end) attend_stretch<Values>(tile, state, at);
  }
  for (int q = 0; q < tile.num_queries; ++q) {
    float* part = state.sums + q * sizes.part_stride;
    part[sizes.sum_stride] = state.maximum[q];
    part[sizes.sum_stride + 1] = sum(state.total[q]);
  }
}

template <class Values>
void attend_tile(const AttentionTile& tile, TileState& state, int64_t first, int64_t last) {
  const AttentionSizes& sizes = state.sizes;
  if (tile.parts != nullptr) {
    state.sums = tile.parts;
    attend_split<Values>(tile, state, tile.split, first, last);
    return;
  }
  float* merged = state.sums + kMaxQueries * sizes.part_stride;
  for (int q = 0; q < tile.num_queries; ++q) clear_part(merged + q * sizes.part_stride, sizes.part_stride);
  for (int64_t split = first / sizes.split; split * sizes.split < last; ++split) {
    attend_split<Values>(tile, state, split, first, last);
    for (int q = 0; q < tile.num_queries; ++q)
      merge_part(state.sums + q * sizes.part_stride, sizes.part_stride, merged + q * sizes.part_stride);
  }
  for (int q = 0; q < tile.num_queries; ++q) finish_part(tile, q, merged + q * sizes.part_stride);
}

void attend(const AttentionTile& tile) {
  TileState state;
  state.sizes = tile.sizes;
  const AttentionSizes& sizes = state.sizes;
  state.q = tile.scratch;
  state.scores = state.q + kMaxQueries * sizes.q_stride;
  state.sums = state.scores + kMaxQueries * sizes.score_stride;
  state.keys = state.sums + 2 * kMaxQueries * sizes.part_stride;
  state.values = state.keys + tile.cache->key_dim * sizes.score_stride;
  const AttentionParams& params = *tile.params;
  const int64_t rotation = sizes.rotation;
  const float scale = (params.softcap == 0 ? params.scale * kLog2E : params.scale) / static_cast<float>(rotation);
  int64_t first = tile.length;
  int64_t last = 0;
  for (int q = 0; q < tile.num_queries; ++q) {
    const int64_t position = tile.position[q];
    state.first[q] = params.window > 0 && position >= params.window ? position - params.window + 1 : 0;
    const int64_t chunk = params.chunk > 0 ? position / params.chunk * params.chunk : 0;
    if (chunk > state.first[q]) state.first[q] = chunk;
    state.last[q] = params.causal       ? position + 1
                    : params.window > 0 ? least(position + params.window, tile.length)
                                        : tile.length;
    first = least(first, state.first[q]);
    last = state.last[q] > last ? state.last[q] : last;
    float* scaled = state.q + q * sizes.q_stride;
    for (int64_t d = 0; d < tile.cache->key_dim; ++d) scaled[d] = tile.q[q][d] * scale;
    if (rotation > 1) rotate(scaled, tile.cache->key_dim, rotation);
  }
  if (tile.panel_product != nullptr) round_queries(tile, state);
  if (tile.cache->dtype == DType::F32)
    attend_tile<FloatValues>(tile, state, first, last);
  else if (tile.cache->dtype == DType::F16)
    attend_tile<HalfValues>(tile, state, first, last);
  else
    attend_tile<ByteValues>(tile, state, first, last);
}

}  // namespace
}  // namespace cleave::kernels::simd
