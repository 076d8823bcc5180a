// Products of many rows with f32 panels (kernels/layout/dense_layout.h), and bf16 panels widened into such.
//
// A part of a panel stays in the second-level cache while all rows pass by it, kFloatRows at a time. Terms are added in
// ascending order for every row, as f32_product() and bf16_product() add them, so that a row's result depends neither
// on how rows and parts are cut nor on which of these functions computes it.
//
// One core of a Cascade Lake, 512 x 2,048 x 2,048: 135 GFLOP/s of 152 in parts of 1,024 elements, with AVX2 72 of 86.
// Parts of 512 and 256 elements reached 133 and 126, while sums were still kept in y between parts.
#pragma once

#include "kernels/layout/dense_layout.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// The product of kM rows from `row` on, all in one tile of rows x[depth][kFloatRows], with kV vectors of columns from
// `column` on, of which the last one may be a part.
template <int kM, int kV>
CLEAVE_INLINE void float_tile(const PanelTile& tile, int64_t row, int64_t column) {
  const int64_t at = row % kFloatRows;
  const float* x = static_cast<const float*>(tile.x) + (row - at) * tile.ldx + at;
  const float* w = reinterpret_cast<const float*>(tile.weights) + column;
  const int64_t ldy = tile.y != nullptr ? tile.ldy : tile.ld_sums;
  float* y = (tile.y != nullptr ? tile.y : tile.sums) + row * ldy + column;
  const int64_t last = tile.columns - column - (kV - 1) * kLanes;  // columns of the last vector
  F32 partial[kM][kV] = {};
  for (int a = 0; a < kM; ++a)  // rows lie so far apart that they push each other out of caches
    for (int j = 0; j < kV * kBytes; j += 64)
      __builtin_prefetch(reinterpret_cast<const std::byte*>(y + a * ldy) + j, 1);
  if (!tile.first)
    for (int a = 0; a < kM; ++a)
      for (int j = 0; j < kV; ++j) {
        const float* from = tile.sums + (row + a) * tile.ld_sums + column + j * kLanes;
        partial[a][j] = j < kV - 1 || last >= kLanes ? load(from) : load_part(from, last);
      }
  for (const float* end = w + tile.depth * kPanelRows; w != end; w += kPanelRows, x += kFloatRows) {
    constexpr int kWeightsAhead = 8, kRowsAhead = 16;  // steps
    __builtin_prefetch(x + kRowsAhead * kFloatRows);
    F32 weights[kV];
#pragma GCC unroll 4
    for (int j = 0; j < kV; ++j) {
      __builtin_prefetch(w + j * kLanes + kWeightsAhead * kPanelRows);
      weights[j] = load(w + j * kLanes);
    }
#pragma GCC unroll 12
    for (int a = 0; a < kM; ++a) {
      const F32 number = set(x[a]);
#pragma GCC unroll 4
      for (int j = 0; j < kV; ++j) partial[a][j] = multiply_add(number, weights[j], partial[a][j]);
    }
  }
  for (int a = 0; a < kM; ++a)
    for (int j = 0; j < kV; ++j) {
      float* to = y + a * ldy + j * kLanes;
      if (j < kV - 1 || last >= kLanes)
        store(to, partial[a][j]);
      else
        store_part(to, partial[a][j], last);
    }
}

template <int kM>
CLEAVE_INLINE void float_rows(const PanelTile& tile, int64_t row) {
  for (int64_t column = 0; column < tile.columns; column += 2 * kLanes)
    if (tile.columns - column > kLanes)
      float_tile<kM, 2>(tile, row, column);
    else
      float_tile<kM, 1>(tile, row, column);
}

void float_panel_product(const PanelTile& tile) {
  constexpr int kM = kBytes == 64 ? 12 : kBytes == 32 ? 6 : 4;  // two vectors each: 24 of 32, 12 and 8 of 16 registers
  static_assert(kFloatRows % kM == 0);
  int64_t row = 0;
  for (; row + kM <= tile.m; row += kM) float_rows<kM>(tile, row);
  if constexpr (kM == 12)
    for (; row + 4 <= tile.m; row += 4) float_rows<4>(tile, row);
  for (; row < tile.m; ++row) float_rows<1>(tile, row);
}

void widen_panel(const std::byte* panel, int64_t depth, float* out) {
  for (int64_t i = 0; i < depth; i += 2, out += 2 * kPanelRows)
    for (int64_t j = 0; j < kPanelRows; j += kLanes, panel += kBytes) {
      const U32 pairs = load_as<U32>(panel);
      store(out + j, bits<F32>(pairs << 16));
      store(out + kPanelRows + j, bits<F32>(pairs & 0xffff0000u));
    }
}

}  // namespace
}  // namespace cleave::kernels::simd
