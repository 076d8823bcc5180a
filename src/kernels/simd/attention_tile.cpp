#include "kernels/simd/attention_tile.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/layout/dense_layout.h"

namespace cleave::kernels::simd {
namespace {

// Positions of a stretch and of a split. A stretch of wide keys and values is shorter, so that its copy in f32 stays in
// the second-level cache. A split is so long that merging takes little time, and so short that a context of some
// thousand positions keeps many threads busy.
constexpr int64_t kStretch = 128;
constexpr int64_t kWideStretch = 64;
constexpr int64_t kWideDims = 512;  // of a key and a value together
constexpr int64_t kSplit = 512;

// Most dimensions that are rotated together.
constexpr int64_t kMaxRotation = 64;

constexpr int64_t round_up(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

// Dimensions that are rotated together: the largest power of two that divides key_dim and, where values are in keys,
// value_dim.
int64_t rotation_of(const KvCache& cache) {
  if (cache.dtype != DType::I8) return 1;
  const int64_t dims = cache.values_in_keys ? cache.key_dim | cache.value_dim : cache.key_dim;
  return std::min(dims & -dims, kMaxRotation);
}

// Floats that the bf16 copies of a tile take: queries, weights, keys, values.
int64_t attention_panel_floats(const AttentionSizes& sizes) {
  const int64_t columns = round_up(sizes.sum_stride, kPanelRows);
  return (kMaxQueries * (sizes.key_depth + sizes.stretch_depth) + sizes.stretch_depth * (sizes.key_depth + columns)) /
         2;
}

}  // namespace

AttentionSizes attention_sizes(const KvCache& cache) {
  CHECK_LE(cache.block_size, kMaxStretch);
  const int64_t wanted = cache.key_dim + cache.value_dim > kWideDims ? kWideStretch : kStretch;
  AttentionSizes sizes{};
  sizes.stretch = cache.block_size * std::max<int64_t>(1, wanted / cache.block_size);
  sizes.split = sizes.stretch * std::max<int64_t>(1, kSplit / sizes.stretch);
  sizes.q_stride = round_up(cache.key_dim, 16);
  sizes.key_depth = round_up(cache.key_dim, kPanelDepth);
  sizes.stretch_depth = round_up(sizes.stretch, kPanelRows);
  sizes.score_stride = sizes.stretch_depth + 16;
  sizes.sum_stride = round_up(cache.value_dim, 16);
  sizes.part_stride = sizes.sum_stride + 16;
  const int64_t element = info(cache.dtype).block_bytes;
  sizes.key_head_bytes = cache.key_dim * cache.block_size * element;
  sizes.value_head_bytes = cache.value_dim * cache.block_size * element;
  sizes.rotation = rotation_of(cache);
  if (cache.dtype == DType::I8) {
    const auto scales = static_cast<int64_t>(cache.block_size * sizeof(float));
    sizes.key_scales = round_up(sizes.key_head_bytes, sizeof(float));
    sizes.value_scales = round_up(sizes.value_head_bytes, sizeof(float));
    sizes.key_head_bytes = sizes.key_scales + scales;
    sizes.value_head_bytes = sizes.value_scales + scales;
  }
  if (cache.values_in_keys) sizes.value_head_bytes = 0;
  return sizes;
}

int64_t attention_tile_floats(const KvCache& cache) {
  const AttentionSizes sizes = attention_sizes(cache);
  const int64_t widened = cache.key_dim * sizes.score_stride + sizes.stretch * sizes.sum_stride;
  return kMaxQueries * (sizes.q_stride + sizes.score_stride + 2 * sizes.part_stride) +
         std::max(widened, attention_panel_floats(sizes));
}

}  // namespace cleave::kernels::simd
