#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/layout/block_layout.h"
#include "kernels/layout/dense_layout.h"
#include "kernels/params/attention_params.h"
#include "kernels/params/kv_cache.h"
#include "kernels/params/recurrent_params.h"
#include "kernels/params/unary_kind.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels::simd {

inline constexpr int kUnaryKinds = static_cast<int>(UnaryKind::Sqrt) + 1;

/// Query vectors that attend together because they share a KV head: enough that converting a stretch of the cache to
/// f32 costs little next to the products, few enough that all that belongs to a tile stays in the second-level cache.
inline constexpr int kMaxQueries = 192;

/// Most positions of a stretch, of blocks that are not larger.
inline constexpr int kMaxStretch = 256;

struct PanelTile;

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
  int64_t rotation;                          // dimensions of keys that are rotated together (int8), or 1
  int64_t key_depth, stretch_depth;          // key_dim and stretch as bf16 panels have them (dense_layout.h)
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
  /// Not null: Table::panel_product or one like it, with which the tile is computed in bf16. REQUIRES: a table that has
  /// panel_product; numbers of f16 or int8, in blocks of a multiple of 16 positions.
  void (*panel_product)(const PanelTile& tile);
  /// Not null: only split number `split` is computed, and instead of `out` parts [num_queries][part_stride] are
  /// written: sums of weight * value by sum_stride, then the maximum of the scores (in units of log2) and the sum of
  /// the weights.
  float* parts;
  int64_t split;
};

/// Floats of scratch for one tile: scaled queries, scores, a copy of keys and values, parts of a split and of all
/// before.
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

/// Some dimensions of one head's keys in slots [slot, slot + rows) of one block, to out[rows][dims].
struct KeyRows {
  const std::byte* keys;  // of the block and head
  int64_t slot, rows, first_dim, dims;
  float* out;
  const KvCache* cache;
  AttentionSizes sizes;
};

/// Rows of activations quantised in groups (block_layout.h), as one or two signed bytes per element: x is about scale *
/// v with v = high or, in a wide group, 256 * high + low. Rows lie in tiles of `interleave`, so that a kernel finds a
/// group of all rows of a tile in one place: [m / interleave rounded up][k / group][interleave], then the group's
/// elements.
struct QuantizedRows {
  int64_t interleave;  // kTileRows or, for a single row, 1
  int8_t* high;
  int8_t* low;       // undefined outside of wide groups
  float* scales;     // one per group of a row, like all that follow
  float* sums;       // scale times the sum of the group's v
  int32_t* offsets;  // minus the layout's zero level times the sum of the group's v
  uint8_t* wide;     // 1 or 0; 0 for rows beyond m
};
inline constexpr int64_t kTileRows = 8;

/// Which groups become wide. Two bytes are exact enough to make no difference, and cost nothing where weights stream
/// from memory; one byte for all moves SmolLM2's logits by up to 2.5 of 25, because a few channels are far larger than
/// all others.
enum class Digits : uint8_t {
  Two,       // all groups are wide
  OnDemand,  // those whose largest number stands out of their row
};

/// Some columns of a product with weights in a block layout.
struct BlockTile {
  QuantizedRows x;
  int64_t m, k;
  const std::byte* weights;  // strips of kStripRows rows, from the first column on
  int64_t columns;           // of y, from there on
  float* y;                  // [m, columns], rows ldy apart
  int64_t ldy;
  Digits digits;
  bool prefetch;  // weights, as the first rows meet them: see wants_prefetch()
};

/// Some columns of a product with 16-bit or 32-bit weights in panels (dense_matrix.h).
struct DenseTile {
  const float* x;  // [m, k], rows k apart
  int64_t m, k;
  const std::byte* weights;  // panels of kPanelRows rows, from the first column on
  int64_t columns;           // of y, from there on
  float* y;                  // [m, columns], rows ldy apart
  int64_t ldy;
  bool prefetch;  // as in BlockTile
};

/// Some rows of a product with a part of one panel (dense_layout.h), both in bf16 or both in f32.
struct PanelTile {
  const void* x;             // [m, depth], whole rows in bf16 or kFloatRowLayout in f32
  int64_t m, ldx, depth;     // in bf16 depth is even
  const std::byte* weights;  // [depth / 2][kPanelRows][2] in bf16 or [depth][kPanelRows] in f32
  int64_t columns;           // of the panel that y has, at most kPanelRows
  bool first;                // products are added to zeros, otherwise to `sums`
  float* sums;               // [m, columns], rows ld_sums apart; null where `first` and y are all that is needed
  int64_t ld_sums;
  float* y;  // where sums go, [m, columns], rows ldy apart; null: to `sums`
  int64_t ldy;
  RowLayout layout = kWholeRows;    // of x; matrix tiles also take kTileRowLayout
  const std::byte* next = nullptr;  // as many weights, which the tile after this one will read, if known
};

/// A part of some strips of a block layout, as a part of a bf16 panel.
struct UnpackTile {
  const std::byte* weights;  // the part's first record of the first strip
  int64_t strip_bytes;       // from one strip to the next
  int64_t strips;            // at most kPanelRows / kStripRows; the panel's other columns become zeros
  int64_t depth;             // elements, whole records
  std::byte* panel;          // [depth / 2][kPanelRows][2]
};

/// High digits of four neighbouring elements, not all of them zero.
struct HighDigits {
  int8_t digits[4];
  uint32_t quad;   // of elements from 4 * quad on
  int32_t offset;  // minus the layout's zero level times their sum
};

/// Rows of activations with a scale per kDigitGroup elements: x is about scale * v with v = low + 256 * high, where few
/// elements have a high digit; low digits of every second group are negated (levels-inl.h has the reason). Rows lie in
/// tiles of kDigitRows, the last of them filled up; "group" is the layout's.
struct DigitRows {
  int8_t* low;       // [tiles][k / 4][kDigitRows][4]
  float* scales;     // [tiles][digit_groups(k)][kDigitRows]
  int32_t* offsets;  // [tiles][k / group][kDigitRows], what the group's dot products begin with
  float* sums;       // [tiles][k / group][kDigitRows], of the group's v
  int32_t* counts;   // [m], of what follows
  HighDigits* high;  // [m][k / 4], the first counts[row] of a row, in ascending order
};
inline constexpr int64_t kDigitRows = 6;
inline constexpr int64_t kDigitGroup = 256;
constexpr int64_t digit_groups(int64_t k) {
  return (k + kDigitGroup - 1) / kDigitGroup;
}

/// Whole strips of a block layout with levels unpacked into bytes and scales into floats.
struct LevelUnpackTile {
  const std::byte* weights;
  int64_t strip_bytes;  // from one strip to the next
  int64_t strips, k;
  uint8_t* levels;  // [strips][k / 4][kStripRows][4]
  float* scales;    // [strips][level_scales()]
};

/// Floats of the scales of a strip: per kDigitGroup elements [1 + groups of the layout][kStripRows], first what sums of
/// its groups begin with; with minima [1 + 2 * groups][kStripRows], scales and minima in turns.
constexpr int64_t level_scales(int64_t k, int64_t group, bool minimum) {
  return (digit_groups(k) + k / group * (minimum ? 2 : 1)) * kStripRows;
}

/// A product with some strips of such levels.
struct LevelTile {
  DigitRows x;
  int64_t m, k;
  const uint8_t* levels;
  const float* scales;
  int64_t columns;  // of the strips that y has
  float* y;         // [m, columns], rows ldy apart
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
  void (*quantize)(const float* x, int64_t k, const BlockLayout& layout, Digits digits, int64_t row,
                   const QuantizedRows& out);
  void (*block_product[kNumLayouts])(const BlockTile& tile);
  void (*to_bfloat16)(const float* x, int64_t count, uint16_t* y);
  // Null where the processor has no products of bf16 numbers.
  void (*panel_product)(const PanelTile& tile);
  void (*unpack_panel[kNumLayouts])(const UnpackTile& tile);
  void (*float_panel_product)(const PanelTile& tile);
  // Elements [0, depth), an even number, of a bf16 panel as f32.
  void (*widen_panel)(const std::byte* panel, int64_t depth, float* out);
  // Null where the processor has no dot products of bytes.
  void (*split_digits)(const float* x, int64_t k, const BlockLayout& layout, int64_t row, const DigitRows& out);
  void (*level_product[kNumLayouts])(const LevelTile& tile);
  void (*unpack_levels[kNumLayouts])(const LevelUnpackTile& tile);
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
  // result of the tile's query of a sum.
  void (*merge_part)(const float* part, int64_t stride, float* sum);
  void (*finish_part)(const AttentionTile& tile, int query, const float* part);
  void (*store_kv)(const KvRows& rows);
  void (*load_keys)(const KeyRows& rows);
  // Stored numbers, not aligned, in f32.
  void (*widen_bfloat16)(const void* from, int64_t count, float* to);
  void (*widen_half)(const void* from, int64_t count, float* to);
  // A group of 32 elements of kStripRows rows, x[32][kStripRows], as a record of the layout Q8_0 or Q4_1; false where a
  // number is not finite.
  bool (*quantize_int8)(const float* x, std::byte* record);
  bool (*quantize_int4)(const float* x, std::byte* record);
};

/// The table of `isa`. REQUIRES: the processor has it.
const Table& table(Isa isa);

}  // namespace cleave::kernels::simd
