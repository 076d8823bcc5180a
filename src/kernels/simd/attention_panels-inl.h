// Attention of many queries in bf16, by products with bf16 panels (panels-inl.h): scores are products of queries with
// panels of keys, sums are products of weights with panels of values. Scores, the softmax and sums are in f32.
//
// Rounding queries, keys, weights and values costs as much accuracy as rounding activations before a product with bf16
// weights does. A query's terms are added in the same order whatever the other queries of the tile.
#pragma once

#include "kernels/layout/dense_layout.h"
#include "kernels/simd/attention_softmax-inl.h"
#include "kernels/simd/attention_tile-inl.h"
#include "kernels/simd/attention_tile.h"
#include "kernels/simd/panels-inl.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

#if defined(__AVX512BF16__)

// Queries of a tile in one product, so few that their scores stay in the first-level cache: a multiple of the 16 rows
// of a matrix tile, and of the six rows of a panel's product.
constexpr int kPanelQueries = 48;

template <class Values>
constexpr bool kPanels = sizeof(typename Values::Element) < sizeof(float);

// Memory of a tile in bf16, in place of TileState::keys and values.
struct PanelCopy {
  explicit PanelCopy(const TileState& state)
      : q_stride(state.sizes.key_depth),
        weight_stride(state.sizes.stretch_depth),
        q(reinterpret_cast<uint16_t*>(state.keys)),
        weights(q + kMaxQueries * q_stride),
        keys(reinterpret_cast<std::byte*>(weights + kMaxQueries * weight_stride)),
        values(keys + state.sizes.stretch_depth * state.sizes.key_depth * 2) {}
  int64_t q_stride, weight_stride;
  uint16_t* q;        // [num_queries][q_stride]
  uint16_t* weights;  // [num_queries][weight_stride]
  std::byte* keys;    // [stretch_depth / kPanelRows][key_depth / 2][kPanelRows][2]
  std::byte* values;  // [sum_stride / kPanelRows rounded up][stretch_depth / 2][kPanelRows][2]
};

struct Bfloat16Weights {
  uint16_t* weights;
  CLEAVE_INLINE void put(int64_t p, F32 weight) const { store_as(weights + p, round_to_bfloat16(weight)); }
};

CLEAVE_INLINE void round_queries(const AttentionTile& tile, const TileState& state) {
  const PanelCopy copy(state);
  for (int q = 0; q < tile.num_queries; ++q) {
    const float* from = state.q + q * state.sizes.q_stride;
    for (int64_t d = 0; d < copy.q_stride; d += kLanes) {
      const int64_t count = tile.cache->key_dim - d;
      const F32 part = count >= kLanes ? load(from + d) : count > 0 ? load_part(from + d, count) : F32{};
      store_as(copy.q + q * copy.q_stride + d, round_to_bfloat16(part));
    }
  }
}

// The positions [from, to) of a stretch that are multiplied with values: those that are seen, and some around them,
// with weights and values of zero, because depths are multiples of kPanelDepth.
struct Depth {
  explicit Depth(const Stretch& at)
      : from(at.begin / kPanelDepth * kPanelDepth), to((at.end + kPanelDepth - 1) / kPanelDepth * kPanelDepth) {}
  int64_t from, to;
};

// Packs the keys of a stretch's blocks into panels. Columns of other blocks may hold anything.
template <class Values>
CLEAVE_INLINE void pack_keys(const AttentionTile& tile, const PanelCopy& copy, const Stretch& at) {
  const KvCache& cache = *tile.cache;
  const int64_t size = cache.block_size, dims = cache.key_dim;
  for (int64_t i = at.begin / size; i * size < at.end; ++i) {
    const auto* keys = block_of<typename Values::Element>(cache.keys, tile.sizes.key_head_bytes, tile, at.block + i);
    for (int64_t slot = 0; slot < size; slot += kLanes) {
      const int64_t p = i * size + slot;
      std::byte* out = copy.keys + (p / kPanelRows * copy.q_stride / 2 * kPanelRows + p % kPanelRows) * 4;
      for (int64_t d = 0; d < copy.q_stride; d += 2, out += kPanelRows * 4) {
        const F32 even = d < dims ? Values::get(keys + d * size + slot) : F32{};
        const F32 odd = d + 1 < dims ? Values::get(keys + (d + 1) * size + slot) : F32{};
        store_as(out, pair_up(even, odd));
      }
    }
  }
}

// Where the pair of these two positions goes, from dimension d on.
CLEAVE_INLINE std::byte* value_pair(const TileState& state, const PanelCopy& copy, int64_t p, int64_t d) {
  const int64_t row = d / kPanelRows * state.sizes.stretch_depth / 2 + p / 2;
  return copy.values + (row * kPanelRows + d % kPanelRows) * 4;
}

// Packs the values of a stretch into panels.
template <class Values>
CLEAVE_INLINE void pack_values(const AttentionTile& tile, const TileState& state, const PanelCopy& copy,
                               const Stretch& at) {
  const KvCache& cache = *tile.cache;
  const int64_t size = cache.block_size, dims = cache.value_dim;
  const auto [from, to] = Depth(at);
  const auto seen = [&](int64_t p) { return p >= at.begin && p < at.end; };
  for (int64_t p = from; p < to; p += 2) {
    const typename Values::Element* values = nullptr;
    if (seen(p) || seen(p + 1))
      values =
          block_of<typename Values::Element>(cache.values, tile.sizes.value_head_bytes, tile, at.block + p / size) +
          p % size * dims;
    for (int64_t d = 0; d < dims; d += kLanes) {
      const F32 even = seen(p) ? get_part<Values>(values + d, dims - d) : F32{};
      const F32 odd = seen(p + 1) ? get_part<Values>(values + dims + d, dims - d) : F32{};
      store_as(value_pair(state, copy, p, d), pair_up(even, odd));
    }
  }
}

// The same for values that are the first dimensions of the keys, which are stored the other way round.
template <class Values>
CLEAVE_INLINE void cut_value_panels(const AttentionTile& tile, const TileState& state, const PanelCopy& copy,
                                    const Stretch& at) {
  const KvCache& cache = *tile.cache;
  const int64_t size = cache.block_size, dims = cache.value_dim;
  const auto [from, to] = Depth(at);
  for (int64_t p = from; p < to; p += kLanes) {
    const bool any = p < at.end && p + kLanes > at.begin;
    const auto* keys =
        any ? block_of<typename Values::Element>(cache.keys, tile.sizes.key_head_bytes, tile, at.block + p / size) +
                  p % size
            : nullptr;
    for (int64_t d = 0; d < dims; d += kLanes) {
      F32 rows[kLanes] = {};
      if (any) {
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) rows[i] = Values::get(keys + least(d + i, dims - 1) * size);
        transpose_lanes(rows);
        for (int i = 0; i < kLanes; ++i)
          if (p + i < at.begin || p + i >= at.end) rows[i] = F32{};
      }
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; i += 2) store_as(value_pair(state, copy, p + i, d), pair_up(rows[i], rows[i + 1]));
    }
  }
}

// Attends with `count` queries from q on to the packed stretch, of which only positions that one of them sees are
// computed.
CLEAVE_INLINE void attend_rows(const AttentionTile& tile, TileState& state, const PanelCopy& copy, int q, int count,
                               const Stretch& at, const float* key_scales, const float* value_scales) {
  const AttentionSizes& sizes = state.sizes;
  const Stretch seen = seen_by(state, q, count, at);
  if (seen.begin >= seen.end) return;
  const auto [from, to] = Depth(seen);
  float* scores = state.scores + q * sizes.score_stride;
  for (int64_t p = from / kPanelRows * kPanelRows; p < to; p += kPanelRows)
    tile.panel_product({.x = copy.q + q * copy.q_stride,
                        .m = count,
                        .ldx = copy.q_stride,
                        .depth = sizes.key_depth,
                        .weights = copy.keys + p * copy.q_stride * 2,
                        .columns = kPanelRows,
                        .first = true,
                        .sums = nullptr,
                        .ld_sums = 0,
                        .y = scores + p,
                        .ldy = sizes.score_stride});
  for (int i = q; i < q + count; ++i)
    update_softmax(tile, state, i, at, key_scales, value_scales, from, to,
                   Bfloat16Weights{copy.weights + i * copy.weight_stride});
  for (int64_t d = 0; d < sizes.sum_stride; d += kPanelRows)
    tile.panel_product({.x = copy.weights + q * copy.weight_stride + from,
                        .m = count,
                        .ldx = copy.weight_stride,
                        .depth = to - from,
                        .weights = value_pair(state, copy, from, d),
                        .columns = least(kPanelRows, sizes.sum_stride - d),
                        .first = false,
                        .sums = state.sums + q * sizes.part_stride + d,
                        .ld_sums = sizes.part_stride,
                        .y = nullptr,
                        .ldy = 0});
}

template <class Values>
CLEAVE_INLINE void attend_panels(const AttentionTile& tile, TileState& state, const Stretch& at,
                                 const float* key_scales, const float* value_scales) {
  const PanelCopy copy(state);
  pack_keys<Values>(tile, copy, at);
  if (tile.cache->values_in_keys)
    cut_value_panels<Values>(tile, state, copy, at);
  else
    pack_values<Values>(tile, state, copy, at);
  for (int q = 0; q < tile.num_queries; q += kPanelQueries)
    attend_rows(tile, state, copy, q, static_cast<int>(least(kPanelQueries, tile.num_queries - q)), at, key_scales,
                value_scales);
}

#else

template <class Values>
constexpr bool kPanels = false;
CLEAVE_INLINE void round_queries(const AttentionTile&, const TileState&) {}
template <class Values>
CLEAVE_INLINE void attend_panels(const AttentionTile&, TileState&, const Stretch&, const float*, const float*) {}

#endif

}  // namespace
}  // namespace cleave::kernels::simd
