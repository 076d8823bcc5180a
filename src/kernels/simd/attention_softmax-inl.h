// The state of a tile of attention between stretches of the cache, and the running softmax (see attention-inl.h).
#pragma once

#include "kernels/simd/attention_tile-inl.h"
#include "kernels/simd/attention_tile.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

constexpr float kLog2E = 1.44269504088896341f;
constexpr float kLowest = -__builtin_inff();

// A stretch. Any query of the tile sees at most the positions [begin, end), counted from the stretch's first one.
struct Stretch {
  int64_t base;   // position of its first slot
  int64_t block;  // of the sequence's table
  int64_t begin, end;
};

// The state of a tile between stretches. Rows of `sums` are parts (AttentionTile::parts), into which maximum and total
// are written at the end of a split.
struct TileState {
  AttentionSizes sizes;
  float* q;                    // [num_queries][q_stride], scaled
  float* scores;               // [num_queries][score_stride]
  float* sums;                 // [num_queries][part_stride]
  float* keys;                 // of a stretch in f32, [key_dim][score_stride]; or the copies in bf16
  float* values;               // [positions of a stretch][sum_stride]
  int64_t first[kMaxQueries];  // positions [first, last) are visible to the query
  int64_t last[kMaxQueries];
  float maximum[kMaxQueries];
  F32 total[kMaxQueries];  // sums of weights by lane
};

template <class Element>
CLEAVE_INLINE const Element* block_of(const std::byte* array, int64_t head_bytes, const AttentionTile& tile,
                                      int64_t block) {
  const int64_t index = tile.blocks[block] * tile.cache->kv_heads + tile.kv_head;
  return reinterpret_cast<const Element*>(array + index * head_bytes);
}

// The part of a stretch that one or more of `count` queries from q on see.
CLEAVE_INLINE Stretch seen_by(const TileState& state, int q, int count, const Stretch& at) {
  int64_t begin = at.end;
  int64_t end = at.begin;
  for (int i = q; i < q + count; ++i) {
    begin = least(begin, state.first[i] > at.base ? state.first[i] - at.base : 0);
    end = state.last[i] - at.base > end ? state.last[i] - at.base : end;
  }
  return {at.base, at.block, begin > at.begin ? begin : at.begin, least(end, at.end)};
}

// Biases by distance at positions [p, p + kLanes) of a query, from `biases` of 2n + 1 distances.
CLEAVE_INLINE F32 distance_biases(const float* biases, int64_t n, int64_t distance) {
  if (distance >= -n && distance + kLanes - 1 <= n) return load(biases + n + distance);
  float lanes[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) {
    const int64_t at = distance + i < -n ? -n : least(distance + i, n);
    lanes[i] = biases[n + at];
  }
  return load(lanes);
}

// One pass over the scores of query q: caps them softly, adds the position bias, sets those of positions that are not
// seen to minus infinity, and finds the maximum. Without a soft-cap the queries have been multiplied by scale *
// log2(e), with one by scale.
CLEAVE_INLINE float adjust_scores(const AttentionTile& tile, const Stretch& at, int q, float* scores,
                                  const float* key_scales, int64_t from, int64_t to, int64_t begin, int64_t end) {
  const AttentionParams& params = *tile.params;
  const bool plain =
      params.softcap == 0 && params.alibi_slopes == nullptr && key_scales == nullptr && params.distance_bias == nullptr;
  const int64_t head = tile.head[q], n = params.bias_distance;
  F32 top = set(kLowest);
  for (int64_t p = from; p < to; p += kLanes) {
    F32 s = load(scores + p);
    if (!plain) {
      if (key_scales != nullptr) s *= load(key_scales + p);
      if (params.softcap != 0) s = params.softcap * kLog2E * tanh(s / params.softcap);
      if (params.alibi_slopes != nullptr) {
        const I32 position = lane_numbers() + static_cast<int32_t>(at.base + p);
        F32 bias = params.alibi_slopes[head] * __builtin_convertvector(position, F32);
        if (params.alibi_bfloat16) bias = bits<F32>(__builtin_convertvector(round_to_bfloat16(bias), U32) << 16);
        s += bias * (params.alibi_scale * kLog2E);
      }
      if (params.distance_bias != nullptr)
        s += kLog2E * distance_biases(params.distance_bias + head * (2 * n + 1), n, at.base + p - tile.position[q]);
      store(scores + p, s);
    }
    if (p < begin || p + kLanes > end) store(scores + p, s = keep_lanes(s, begin - p, end - p));
    top = max(s, top);
  }
  return peak(top);
}

// A place for weights: that of the scores.
struct FloatWeights {
  float* weights;
  CLEAVE_INLINE void put(int64_t p, F32 weight) const { store(weights + p, weight); }
};

// Turns the scores of query q at [from, to) into weights, those outside [begin, end) into zeros, and updates maximum,
// total and sums.
template <class Weights>
__attribute__((noinline)) void update_softmax(const AttentionTile& tile, TileState& state, int q, const Stretch& at,
                                              const float* key_scales, const float* value_scales, int64_t from,
                                              int64_t to, Weights weights) {
  float* scores = state.scores + q * state.sizes.score_stride;
  const int64_t begin = state.first[q] > at.base ? state.first[q] - at.base : 0;
  const int64_t end = least(state.last[q] - at.base, at.end);
  const bool any = begin < to && end > from && begin < end;
  // Vectors with a position that is seen.
  const int64_t visible = !any ? to : begin > from ? begin / kLanes * kLanes : from;
  const int64_t beyond = any ? least(to, (end + kLanes - 1) / kLanes * kLanes) : to;
  for (int64_t p = from; p < visible; p += kLanes) weights.put(p, F32{});
  for (int64_t p = beyond; p < to; p += kLanes) weights.put(p, F32{});
  if (!any) return;
  const float top = adjust_scores(tile, at, q, scores, key_scales, visible, beyond, begin, end);
  if (top > state.maximum[q]) {
    const float factor = exp2_negative(set(state.maximum[q] - top))[0];
    float* sums = state.sums + q * state.sizes.part_stride;
    for (int64_t d = 0; d < state.sizes.sum_stride; d += kLanes) store(sums + d, load(sums + d) * factor);
    state.total[q] *= factor;
    state.maximum[q] = top;
  }
  const float maximum = state.maximum[q];
  F32 total = state.total[q];
  for (int64_t p = visible; p < beyond; p += kLanes) {
    F32 weight = exp2_negative(load(scores + p) - maximum);
    total += weight;
    // Scales of positions that are not seen may be anything.
    if (value_scales != nullptr) weight = weight == 0 ? F32{} : weight * load(value_scales + p);
    weights.put(p, weight);
  }
  state.total[q] = total;
}

}  // namespace
}  // namespace cleave::kernels::simd
