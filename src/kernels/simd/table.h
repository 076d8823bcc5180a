#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/layout/block_layout.h"
#include "kernels/params/recurrent_params.h"
#include "kernels/params/unary_kind.h"
#include "kernels/simd/attention_tile.h"
#include "kernels/simd/isa.h"
#include "kernels/simd/product_tiles.h"

namespace cleave::kernels::simd {

/// Values of UnaryKind.
inline constexpr int kUnaryKinds = static_cast<int>(UnaryKind::Sqrt) + 1;

/// The functions that are compiled once per instruction set. Each works on the calling thread; pointers need no
/// alignment unless said otherwise.
struct Table {
  // One row, or some numbers, of the operations of those names in rows/.
  void (*rms_norm)(const float* x, const float* weight, float offset, float eps, int64_t n, float* y);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, int64_t n, float* y);
  void (*softmax)(const float* x, int64_t n, float* y);
  void (*add)(const float* a, const float* b, int64_t count, float* y);
  void (*mul)(const float* a, const float* b, int64_t count, float* y);
  void (*scale)(const float* x, float factor, int64_t count, float* y);
  void (*unary[kUnaryKinds])(const float* x, int64_t count, float* y);
  void (*gate[kUnaryKinds])(const float* a, const float* b, int64_t count, float* y);
  // Some queries of kernels::attention.
  void (*attend)(const AttentionTile& tile);
  // A part of a product: of rows in f32 with f32 rows, and of few rows with panels of f32, bf16 or fp8.
  void (*exact_product)(const ExactTile& tile);
  void (*f32_product)(const DenseTile& tile);
  void (*bf16_product)(const DenseTile& tile);
  void (*fp8_product)(const DenseTile& tile);
  // Rounds row number `row` to digits; `x` is that row.
  void (*quantize)(const float* x, int64_t k, const BlockLayout& layout, Digits digits, int64_t row,
                   const QuantizedRows& out);
  // A part of a product with weights in a block layout.
  void (*block_product[kNumLayouts])(const BlockTile& tile);
  // Rounds to bf16, to nearest even.
  void (*to_bfloat16)(const float* x, int64_t count, uint16_t* y);
  // A part of a product of many rows with bf16 panels, and blocks unpacked into such panels. Null without products of
  // bf16 numbers.
  void (*panel_product)(const PanelTile& tile);
  void (*unpack_panel[kNumLayouts])(const UnpackTile& tile);
  // The same with f32 panels.
  void (*float_panel_product)(const PanelTile& tile);
  // Widens elements [0, depth) of a bf16 panel, an even number, to a panel of f32.
  void (*widen_panel)(const std::byte* panel, int64_t depth, float* out);
  // The same of records of an fp8 panel, and of these to a bf16 panel. The latter is null without products of bf16
  // numbers.
  void (*widen_fp8_panel)(const std::byte* panel, int64_t depth, float* out);
  void (*fp8_to_bfloat16_panel)(const std::byte* panel, int64_t depth, std::byte* out);
  // A product of many rows with unpacked levels (levels-inl.h): row number `row` rounded to digits, the product, and
  // levels unpacked. Null without dot products of bytes.
  void (*split_digits)(const float* x, int64_t k, const BlockLayout& layout, int64_t row, const DigitRows& out);
  void (*level_product[kNumLayouts])(const LevelTile& tile);
  void (*unpack_levels[kNumLayouts])(const LevelUnpackTile& tile);
  // The same in long groups, without and with minima; null for layouts that have none.
  void (*long_level_product[2])(const LevelTile& tile);
  void (*unpack_long_levels[kNumLayouts])(const LevelUnpackTile& tile);
  // The same of few rows, to the bit, with levels that are not unpacked; null as those above.
  void (*packed_level_product[kNumLayouts])(const PackedLevelTile& tile);
  void (*packed_long_level_product[kNumLayouts])(const PackedLevelTile& tile);
  // Channels [first, last), or one head, of the operations of those names in recurrent/ on one sequence. Inputs,
  // outputs and state are those of the sequence, for a head those of the head.
  void (*causal_conv)(const float* x, int64_t rows, const CausalConvParams& params, int64_t first, int64_t last,
                      float* state, float* y);
  void (*linear_attention_channels)(const LinearAttentionInput& input, int64_t rows,
                                    const LinearAttentionParams& params, int64_t first, int64_t last, float* state,
                                    float* out);
  void (*linear_attention_head)(const LinearAttentionInput& input, int64_t rows, const LinearAttentionParams& params,
                                const float* a, float* state, float* out);
  void (*linear_recurrence)(const float* a, const float* b, int64_t rows, int64_t channels, int64_t first, int64_t last,
                            float* state, float* y);
  // Merges the part of a split (AttentionTile::parts) into the merged parts of all splits before; and writes the result
  // of a query of the tile from the merged parts of all splits.
  void (*merge_part)(const float* part, int64_t stride, float* sum);
  void (*finish_part)(const AttentionTile& tile, int query, const float* part);
  // Writes keys and values into the cache, and reads keys.
  void (*store_kv)(const KvRows& rows);
  void (*load_keys)(const KeyRows& rows);
  // Converts stored numbers to f32.
  void (*widen_bfloat16)(const void* from, int64_t count, float* to);
  void (*widen_half)(const void* from, int64_t count, float* to);
  // Quantises a group of 32 elements of kStripRows rows, x[32][kStripRows], into a record of the layout Q8_0 or Q4_1.
  // False if a number is not finite.
  bool (*quantize_int8)(const float* x, std::byte* record);
  bool (*quantize_int4)(const float* x, std::byte* record);
};

/// The functions compiled for `isa`. REQUIRES: isa <= best_isa().
const Table& table(Isa isa);

}  // namespace cleave::kernels::simd
