#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/block_layout.h"
#include "kernels/elementwise.h"
#include "kernels/isa.h"
#include "kernels/recurrent.h"

namespace cleave::kernels::simd {

inline constexpr int kUnaryKinds = static_cast<int>(UnaryKind::Sqrt) + 1;

/// Query vectors that attend together because they share a KV head: enough that converting a stretch of the cache to
/// f32 costs little next to the products, few enough that all that belongs to a tile stays in the second-level cache.
inline constexpr int kMaxQueries = 64;

/// Most positions of a stretch, of blocks that are not larger.
inline constexpr int kMaxStretch = 256;

/// What is the same for all tiles of a cache. Lengths in positions, strides in floats, the rest in bytes.
struct AttentionSizes {
  int64_t stretch;                           // positions between two steps of the running softmax, whole blocks
  int64_t split;                             // positions between two fresh starts, whole stretches
  int64_t q_stride;                          // of a query vector
  int64_t score_stride;                      // of a query's scores, of a dimension of the widened keys
  int64_t sum_stride;                        // of a widened value: value_dim rounded up
  int64_t part_stride;                       // sum_stride + 16
  int64_t key_head_bytes, value_head_bytes;  // one KV head of one block
  int64_t key_scales, value_scales;          // where the scales are in it (int8)
};
AttentionSizes attention_sizes(const KvCache& cache);

/// Work of one call of Table::attend: up to kMaxQueries query vectors of one sequence that read the same KV head.
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
  float* scratch;                 // attention_tile_floats(cache), aligned to 64 bytes
  /// Not null: only split number `split` is computed, and instead of `out` parts [num_queries][part_stride] are
  /// written: sums of weight * value by sum_stride, then the maximum of the scores (in units of log2) and the sum of
  /// the weights.
  float* parts;
  int64_t split;
};

/// Floats of scratch for one tile: scaled queries, scores, widened keys and values, parts of a split and of all before.
int64_t attention_tile_floats(const KvCache& cache);

/// Keys and values of one KV head for `rows` neighbouring slots of one block.
struct KvRows {
  const float* k;  // [rows][key_dim], rows k_stride apart
  const float* v;  // [rows][value_dim], rows v_stride apart
  int64_t k_stride, v_stride;
  int64_t rows, slot;        // slots [slot, slot + rows)
  std::byte *keys, *values;  // of the block and head
  const KvCache* cache;
  AttentionSizes sizes;
};

/// Rows of activations quantised in groups (block_layout.h): x[i] is about scales[i / group] * v[i] with v[i] = 256 *
/// high[i] + low[i], two signed bytes. One byte alone would do for speed, but SmolLM2's logits then move by up to 1.4
/// and its choices with them; two move them by 0.016.
struct QuantizedRows {
  int8_t* digits;    // [m, k / 4, 2, 4]: the high bytes of four elements, then their low bytes
  float* scales;     // [m, k / group]
  float* sums;       // [m, k / group], scale times the sum of the group's v
  int32_t* offsets;  // [m, k / group], minus the layout's zero level times the sum of the group's v
};

/// Some columns of a product with weights in a block layout.
struct BlockTile {
  QuantizedRows x;
  int64_t m, k;
  const std::byte* weights;  // strips of kStripRows rows, from the first column on
  int64_t columns;           // of y, from there on
  float* y;                  // [m, columns], rows ldy apart
  int64_t ldy;
};

/// Some columns of a product with 16-bit or 32-bit weights in panels (dense_matrix.h).
struct DenseTile {
  const float* x;  // [m, k], rows k apart
  int64_t m, k;
  const std::byte* weights;  // panels of kPanelRows rows, from the first column on
  int64_t columns;           // of y, from there on
  float* y;                  // [m, columns], rows ldy apart
  int64_t ldy;
};

/// One rectangle of a product of exact, unpacked f32 rows.
struct ExactTile {
  const float* x;  // [m, k], rows k apart
  const float* w;  // [rows, k], rows k apart
  int64_t m, k, rows;
  float* y;  // [m, rows], rows ldy apart
  int64_t ldy;
};

/// The functions that are compiled once per instruction set. All work on the calling thread; pointers need no
/// alignment.
struct Table {
  void (*rms_norm)(const float* x, const float* weight, float offset, float eps, int64_t n, float* y);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, int64_t n, float* y);
  void (*softmax)(const float* x, int64_t n, float* y);
  void (*add)(const float* a, const float* b, int64_t count, float* y);
  void (*mul)(const float* a, const float* b, int64_t count, float* y);
  void (*scale)(const float* x, float factor, int64_t count, float* y);
  void (*unary[kUnaryKinds])(const float* x, int64_t count, float* y);
  void (*gate[kUnaryKinds])(const float* a, const float* b, int64_t count, float* y);
  void (*attend)(const AttentionTile& tile);
  void (*exact_product)(const ExactTile& tile);
  void (*f32_product)(const DenseTile& tile);
  void (*bf16_product)(const DenseTile& tile);
  void (*quantize)(const float* x, int64_t k, const BlockLayout& layout, int64_t row, const QuantizedRows& out);
  void (*block_product[kNumLayouts])(const BlockTile& tile);
  void (*to_bfloat16)(const float* x, int64_t count, uint16_t* y);
  // Parts of the operations of recurrent.h for one sequence, channels [first, last) or one head.
  void (*causal_conv)(const float* x, int64_t rows, const CausalConvParams& params, int64_t first, int64_t last,
                      float* state, float* y);
  void (*linear_attention_channels)(const LinearAttentionInput& input, int64_t rows,
                                    const LinearAttentionParams& params, int64_t first, int64_t last, float* state,
                                    float* out);
  void (*linear_attention_head)(const LinearAttentionInput& input, int64_t rows, const LinearAttentionParams& params,
                                const float* a, float* state, float* out);
  void (*linear_recurrence)(const float* a, const float* b, int64_t rows, int64_t channels, int64_t first, int64_t last,
                            float* state, float* y);
  // Parts of attention (AttentionTile::parts): adds a later split's part to the sum of those before, and makes the
  // result of a sum; `sink` may be null.
  void (*merge_part)(const float* part, int64_t stride, float* sum);
  void (*finish_part)(const float* part, int64_t stride, const float* sink, int64_t value_dim, float* out);
  void (*store_kv)(const KvRows& rows);
};

/// The table of `isa`. REQUIRES: the processor has it.
const Table& table(Isa isa);

}  // namespace cleave::kernels::simd
