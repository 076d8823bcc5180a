// Attention of one tile: a few query vectors against one KV head, block by block with a running softmax.
//
// For each block of positions: scores[q][p], their maximum, weights exp(score - maximum), and sums[q][d] += weight *
// value. When a block raises the maximum, what was summed before is scaled down. A query's result depends on the blocks
// alone, never on the other queries of the tile.
#pragma once

#include "kernels/simd/table.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

struct HalfValues {
  using Element = uint16_t;
  static CLEAVE_INLINE F32 get(const uint16_t* p) { return load_half(p); }
  static CLEAVE_INLINE F32 get_part(const uint16_t* p, int64_t count) {
    uint16_t whole[kLanes] = {};
    for (int64_t i = 0; i < count; ++i) whole[i] = p[i];
    return load_half(whole);
  }
};

struct FloatValues {
  using Element = float;
  static CLEAVE_INLINE F32 get(const float* p) { return load(p); }
  static CLEAVE_INLINE F32 get_part(const float* p, int64_t count) { return load_part(p, count); }
};

// What a tile keeps between blocks.
struct TileState {
  float* scores;  // [kMaxQueries][score_stride], weights after the softmax
  float* sums;    // [kMaxQueries][sum_stride]
  int64_t score_stride;
  int64_t sum_stride;
  float maximum[kMaxQueries];
  float total[kMaxQueries];    // sum of weights
  int64_t first[kMaxQueries];  // positions [first, last) are visible to the query
  int64_t last[kMaxQueries];
};

// scores[q][p] = q . key_p for kQ queries and kLanes positions per step. keys is [key_dim][block_size].
template <class Values, int kQ>
CLEAVE_INLINE void dot_keys(const float* const* q, const typename Values::Element* keys, const KvCache& cache,
                            float* scores, int64_t stride) {
  for (int64_t p = 0; p < cache.block_size; p += kLanes) {
    const int64_t count = cache.block_size - p;
    F32 partial[kQ] = {};
    for (int64_t d = 0; d < cache.key_dim; ++d) {
      const auto* key = keys + d * cache.block_size + p;
      const F32 value = count >= kLanes ? Values::get(key) : Values::get_part(key, count);
      for (int i = 0; i < kQ; ++i) partial[i] += q[i][d] * value;
    }
    for (int i = 0; i < kQ; ++i) store(scores + i * stride + p, partial[i]);
  }
}

// sums[q][d] += sum over positions [begin, end) of weights[q][p] * value_p[d]. values is [block_size][value_dim].
template <class Values, int kQ, int kVectors>
CLEAVE_INLINE void add_values(const float* weights, int64_t weight_stride, const typename Values::Element* values,
                              int64_t dim, int64_t begin, int64_t end, float* sums, int64_t sum_stride, int64_t count) {
  F32 partial[kQ][kVectors];
  for (int i = 0; i < kQ; ++i)
    for (int j = 0; j < kVectors; ++j) partial[i][j] = load(sums + i * sum_stride + j * kLanes);
  for (int64_t p = begin; p < end; ++p)
    for (int j = 0; j < kVectors; ++j) {
      const auto* source = values + p * dim + j * kLanes;
      const F32 value = count >= kLanes * kVectors ? Values::get(source) : Values::get_part(source, count);
      for (int i = 0; i < kQ; ++i) partial[i][j] += weights[i * weight_stride + p] * value;
    }
  for (int i = 0; i < kQ; ++i)
    for (int j = 0; j < kVectors; ++j) store(sums + i * sum_stride + j * kLanes, partial[i][j]);
}

template <class Values, int kQ>
CLEAVE_INLINE void weigh_values(const TileState& state, int q, const typename Values::Element* values, int64_t dim,
                                int64_t begin, int64_t end) {
  const float* weights = state.scores + q * state.score_stride;
  float* sums = state.sums + q * state.sum_stride;
  constexpr int kVectors = kBytes == 64 ? 4 : 2;  // sixteen and eight registers of sums for four queries
  int64_t d = 0;
  for (; d + kVectors * kLanes <= dim; d += kVectors * kLanes)
    add_values<Values, kQ, kVectors>(weights, state.score_stride, values + d, dim, begin, end, sums + d,
                                     state.sum_stride, kVectors * kLanes);
  for (; d < dim; d += kLanes)
    add_values<Values, kQ, 1>(weights, state.score_stride, values + d, dim, begin, end, sums + d, state.sum_stride,
                              dim - d);
}

// Scale, soft-cap and position bias of the scores of one query; base is the position of the block's first slot.
CLEAVE_INLINE void adjust_scores(const AttentionParams& params, int64_t head, int64_t base, float* scores,
                                 int64_t count) {
  for (int64_t p = 0; p < count; p += kLanes) {
    F32 s = load(scores + p) * params.scale;
    if (params.softcap != 0) s = params.softcap * tanh(s / params.softcap);
    if (params.alibi_slopes != nullptr) {
      I32 position = {};
      for (int i = 0; i < kLanes; ++i) position[i] = static_cast<int32_t>(base + p + i);
      F32 bias = params.alibi_slopes[head] * __builtin_convertvector(position, F32);
      if (params.alibi_bfloat16) bias = bits<F32>(__builtin_convertvector(round_to_bfloat16(bias), U32) << 16);
      s += bias * params.alibi_scale;
    }
    store(scores + p, s);
  }
}

// Turns the scores of query q in [begin, end) into weights, others into zeros, and updates maximum, total and sums.
CLEAVE_INLINE void update_softmax(TileState& state, int q, int64_t value_dim, int64_t begin, int64_t end) {
  float* scores = state.scores + q * state.score_stride;
  const float lowest = -__builtin_inff();
  for (int64_t p = 0; p < begin; ++p) scores[p] = lowest;
  for (int64_t p = end; p < state.score_stride; ++p) scores[p] = lowest;
  F32 top = set(lowest);
  for (int64_t p = 0; p < state.score_stride; p += kLanes) top = max(load(scores + p), top);
  const float maximum = largest(top);
  if (maximum > state.maximum[q]) {
    const float factor = exp(set(state.maximum[q] - maximum))[0];
    float* sums = state.sums + q * state.sum_stride;
    for (int64_t d = 0; d < value_dim; d += kLanes) store(sums + d, load(sums + d) * factor);
    state.total[q] *= factor;
    state.maximum[q] = maximum;
  }
  F32 total = {};
  if (state.maximum[q] == lowest) {  // nothing visible yet
    for (int64_t p = 0; p < state.score_stride; p += kLanes) store(scores + p, F32{});
    return;
  }
  for (int64_t p = 0; p < state.score_stride; p += kLanes) {
    const F32 weight = exp(load(scores + p) - state.maximum[q]);
    store(scores + p, weight);
    total += weight;
  }
  state.total[q] += sum(total);
}

// One group of kQ queries starting at q against the block at `block`, whose slots stand for positions base, base + 1,
// ...
template <class Values, int kQ>
CLEAVE_INLINE void attend_block(const AttentionTile& tile, TileState& state, int q, int32_t block, int64_t base) {
  using Element = typename Values::Element;
  const KvCache& cache = *tile.cache;
  const int64_t index = block * cache.kv_heads + tile.kv_head;
  const auto* keys = reinterpret_cast<const Element*>(cache.keys) + index * cache.key_dim * cache.block_size;
  const auto* values = reinterpret_cast<const Element*>(cache.values) + index * cache.value_dim * cache.block_size;
  dot_keys<Values, kQ>(tile.q + q, keys, cache, state.scores + q * state.score_stride, state.score_stride);
  int64_t first = cache.block_size;  // slots that any query of the group sees; the others may hold anything
  int64_t last = 0;
  for (int i = q; i < q + kQ; ++i) {
    adjust_scores(*tile.params, tile.head[i], base, state.scores + i * state.score_stride, state.score_stride);
    const int64_t begin = state.first[i] > base ? least(state.first[i] - base, cache.block_size) : 0;
    const int64_t end = state.last[i] > base ? least(state.last[i] - base, cache.block_size) : 0;
    update_softmax(state, i, state.sum_stride, begin, end > begin ? end : begin);
    if (begin >= end) continue;
    first = begin < first ? begin : first;
    last = end > last ? end : last;
  }
  weigh_values<Values, kQ>(state, q, values, cache.value_dim, first, last);
}

CLEAVE_INLINE void finish_query(const AttentionTile& tile, TileState& state, int q) {
  float total = state.total[q];
  float factor = 1.0f;
  if (tile.params->sinks != nullptr) {  // the sink joins the denominator as a logit without a value
    const float sink = tile.params->sinks[tile.head[q]];
    const float maximum = sink > state.maximum[q] ? sink : state.maximum[q];
    factor = exp(set(state.maximum[q] - maximum))[0];
    total = total * factor + exp(set(sink - maximum))[0];
  }
  factor = total > 0 ? factor / total : 0.0f;
  const float* sums = state.sums + q * state.sum_stride;
  for (int64_t d = 0; d < tile.cache->value_dim; ++d) tile.out[q][d] = sums[d] * factor;
}

template <class Values>
CLEAVE_INLINE void attend_all(const AttentionTile& tile, TileState& state, int64_t first, int64_t last) {
  const int64_t size = tile.cache->block_size;
  for (int64_t block = first / size; block * size < last; ++block) {
    int q = 0;
    for (; q + 4 <= tile.num_queries; q += 4) attend_block<Values, 4>(tile, state, q, tile.blocks[block], block * size);
    for (; q < tile.num_queries; ++q) attend_block<Values, 1>(tile, state, q, tile.blocks[block], block * size);
  }
}

void attend(const AttentionTile& tile) {
  const KvCache& cache = *tile.cache;
  TileState state;
  state.score_stride = (cache.block_size + 15) / 16 * 16;
  state.sum_stride = (cache.value_dim + 15) / 16 * 16;
  state.scores = tile.scratch;
  state.sums = tile.scratch + kMaxQueries * state.score_stride;
  int64_t first = tile.length;
  int64_t last = 0;
  for (int q = 0; q < tile.num_queries; ++q) {
    const int64_t position = tile.position[q];
    const int64_t window = tile.params->window;
    const int64_t chunk = tile.params->chunk;
    state.first[q] = window > 0 && position >= window ? position - window + 1 : 0;
    if (chunk > 0 && position / chunk * chunk > state.first[q]) state.first[q] = position / chunk * chunk;
    state.last[q] = tile.params->causal ? position + 1
                    : window > 0        ? least(position + window, tile.length)
                                        : tile.length;
    first = least(first, state.first[q]);
    last = state.last[q] > last ? state.last[q] : last;
    state.maximum[q] = -__builtin_inff();
    state.total[q] = 0;
    for (int64_t d = 0; d < state.sum_stride; ++d) state.sums[q * state.sum_stride + d] = 0;
  }
  if (cache.dtype == DType::F32)
    attend_all<FloatValues>(tile, state, first, last);
  else
    attend_all<HalfValues>(tile, state, first, last);
  for (int q = 0; q < tile.num_queries; ++q) finish_query(tile, state, q);
}

}  // namespace
}  // namespace cleave::kernels::simd
