#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/params/attention_params.h"
#include "kernels/params/kv_cache.h"

/// Arguments of the functions of Table that attend to a cache of keys and values, write it and read it.
///
/// Words: a *stretch* is a number of neighbouring positions, whole blocks, between two steps of the running softmax. A
/// *split* is a number of stretches after which sums start afresh; the result of a split is a *part*, and parts are
/// merged in order.
namespace cleave::kernels::simd {

/// Most query vectors of a tile, which share a KV head. So many that it costs little next to the products to convert a
/// stretch of the cache to f32, and so few that all that belongs to a tile stays in the second-level cache.
inline constexpr int kMaxQueries = 192;

/// Most positions of a stretch, and of a block.
inline constexpr int kMaxStretch = 256;

struct PanelTile;

/// Sizes that all tiles of a cache share. Lengths are in positions, strides in floats, all else is in bytes or
/// dimensions.
struct AttentionSizes {
  int64_t stretch;       // positions of a stretch, whole blocks
  int64_t split;         // positions of a split, whole stretches
  int64_t q_stride;      // from query vector to query vector
  int64_t score_stride;  // from query to query in scores, from dimension to dimension in keys in f32
  int64_t sum_stride;    // value_dim rounded up: a value in f32, the sums of a part
  int64_t part_stride;   // sum_stride + 16: a part, with its maximum and total
  int64_t key_head_bytes, value_head_bytes;  // one KV head of one block
  int64_t key_scales, value_scales;          // byte at which the scales begin in that (int8)
  int64_t rotation;                          // dimensions of keys that are rotated together (int8); 1: none
  int64_t key_depth, stretch_depth;          // key_dim and stretch, rounded up for bf16 panels
};
AttentionSizes attention_sizes(const KvCache& cache);

/// The work of one call of Table::attend: up to kMaxQueries query vectors of one sequence that read the same KV head.
struct AttentionTile {
  AttentionSizes sizes;
  const KvCache* cache;
  const AttentionParams* params;
  const int32_t* blocks;  // block table of the sequence
  int64_t kv_head;
  int64_t length;  // positions of the sequence in the cache, those of this step included
  int num_queries;
  const float* q[kMaxQueries];    // each [key_dim]
  float* out[kMaxQueries];        // each [value_dim]
  int64_t position[kMaxQueries];  // of the query in its sequence
  int64_t head[kMaxQueries];      // query head, for slopes and sinks
  float* scratch;                 // attention_tile_floats(cache) floats, aligned to 64 bytes
  /// Table::panel_product or a function like it, with which the tile is computed in bf16; null: in f32. REQUIRES, if
  /// not null: a table with panel_product, a cache of f16 or int8, block_size a multiple of 16.
  void (*panel_product)(const PanelTile& tile);
  /// Where to write the parts of split number `split`, [num_queries][part_stride]; nothing else is computed then. Null:
  /// all splits are computed and merged into `out`. A part is sum_stride sums of weight * value, then the maximum of
  /// the scores (times log2(e)) and the sum of the weights.
  float* parts;
  int64_t split;
};

/// Floats of scratch for one tile: scaled queries, scores, a copy of a stretch's keys and values, the parts of a split,
/// and the merged parts of all splits before.
int64_t attention_tile_floats(const KvCache& cache);

/// Keys and values of one KV head, to be written to slots [slot, slot + rows) of one block.
struct KvRows {
  const float* k;  // [rows][key_dim], rows k_stride apart
  const float* v;  // [rows][value_dim], rows v_stride apart
  int64_t k_stride, v_stride;
  int64_t rows, slot;
  std::byte *keys, *values;  // of the block and head
  const KvCache* cache;
  AttentionSizes sizes;
};

/// Dimensions [first_dim, first_dim + dims) of one head's keys in slots [slot, slot + rows) of one block, to be read
/// into out[rows][dims].
struct KeyRows {
  const std::byte* keys;  // of the block and head
  int64_t slot, rows, first_dim, dims;
  float* out;
  const KvCache* cache;
  AttentionSizes sizes;
};

}  // namespace cleave::kernels::simd
