// Products of few rows with f32 and bf16 weights.
#pragma once

#include "kernels/layout/dense_layout.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// A tile of kM x kN dot products, with a vector of partial sums for each. Every dot product is summed in the same order
// whatever the tile, so that results do not depend on how rows are grouped.
template <int kM, int kN>
CLEAVE_INLINE void exact_tile(const float* x, const float* w, int64_t k, float* y, int64_t ldy) {
  F32 partial[kM][kN] = {};
  int64_t i = 0;
  for (; i + kLanes <= k; i += kLanes)
    for (int a = 0; a < kM; ++a)
      for (int b = 0; b < kN; ++b)
        partial[a][b] = multiply_add(load(x + a * k + i), load(w + b * k + i), partial[a][b]);
  if (i < k)
    for (int a = 0; a < kM; ++a)
      for (int b = 0; b < kN; ++b)
        partial[a][b] = multiply_add(load_part(x + a * k + i, k - i), load_part(w + b * k + i, k - i), partial[a][b]);
  for (int a = 0; a < kM; ++a)
    for (int b = 0; b < kN; ++b) y[a * ldy + b] = sum(partial[a][b]);
}

template <int kN>
CLEAVE_INLINE void exact_rows(const ExactTile& tile, int64_t row) {
  const float* w = tile.w + row * tile.k;
  constexpr int kM = kBytes == 64 ? 4 : 2;  // sixteen or eight sums: half of the registers
  int64_t i = 0;
  for (; i + kM <= tile.m; i += kM)
    exact_tile<kM, kN>(tile.x + i * tile.k, w, tile.k, tile.y + i * tile.ldy + row, tile.ldy);
  for (; i < tile.m; ++i) exact_tile<1, kN>(tile.x + i * tile.k, w, tile.k, tile.y + i * tile.ldy + row, tile.ldy);
}

void exact_product(const ExactTile& tile) {
  int64_t row = 0;
  for (; row + 4 <= tile.rows; row += 4) exact_rows<4>(tile, row);
  for (; row < tile.rows; ++row) exact_rows<1>(tile, row);
}

// Adds the products of step `i` of the inner dimension to the sums: one element in f32, a pair in bf16, of which the
// first is the lower half.
struct FloatPanel {
  static constexpr int kStep = 1;
  static constexpr bool kPrefetch = false;  // measured: 15.0 GB/s and thread without, 12.4 with it (4096 x 4096)
  using Element = float;
  template <int kM, int kV, bool kWhole>
  static CLEAVE_INLINE void step(const float* x, int64_t ldx, const float* w, F32 (&partial)[kM][kV]) {
    for (int j = 0; j < kV; ++j) {
      const F32 weight = load(w + j * kLanes);
      for (int a = 0; a < kM; ++a) partial[a][j] = multiply_add(set(x[a * ldx]), weight, partial[a][j]);
    }
  }
};

struct Bfloat16Panel {
  static constexpr int kStep = 2;
  static constexpr bool kPrefetch = true;  // 1536 x 576 from 18 to 27 GB/s, 4096 x 4096 unchanged
  using Element = uint32_t;
  template <int kM, int kV, bool kWhole>
  static CLEAVE_INLINE void step(const float* x, int64_t ldx, const uint32_t* w, F32 (&partial)[kM][kV]) {
    for (int j = 0; j < kV; ++j) {
      const U32 pair = load_as<U32>(w + j * kLanes);
      const F32 first = bits<F32>(pair << 16);
      for (int a = 0; a < kM; ++a) partial[a][j] = multiply_add(set(x[a * ldx]), first, partial[a][j]);
      if constexpr (kWhole) {  // the second element of the last pair of an odd k is padding
        const F32 second = bits<F32>(pair & 0xffff0000u);
        for (int a = 0; a < kM; ++a) partial[a][j] = multiply_add(set(x[a * ldx + 1]), second, partial[a][j]);
      }
    }
  }
};

// The product of kM rows with kV vectors of columns of the panel w, [steps][kPanelRows], from `column` on.
template <class Panel, int kM, int kV>
CLEAVE_INLINE void dense_tile(const DenseTile& tile, int64_t row, const typename Panel::Element* w, int64_t column,
                              int64_t first_column) {
  F32 partial[kM][kV] = {};
  const float* x = tile.x + row * tile.k;
  int64_t i = 0;
  for (; i + Panel::kStep <= tile.k; i += Panel::kStep) {
    const auto* weights = w + i / Panel::kStep * kPanelRows + column;
    if (Panel::kPrefetch && tile.prefetch && row == 0) prefetch<kV * kBytes>(weights);
    Panel::template step<kM, kV, true>(x + i, tile.k, weights, partial);
  }
  if (i < tile.k)
    Panel::template step<kM, kV, false>(x + i, tile.k, w + i / Panel::kStep * kPanelRows + column, partial);
  for (int a = 0; a < kM; ++a)
    for (int j = 0; j < kV; ++j) {
      const int64_t target = first_column + column + j * kLanes;
      float* y = tile.y + (row + a) * tile.ldy + target;
      const int64_t count = tile.columns - target;
      if (count >= kLanes)
        store(y, partial[a][j]);
      else
        store_part(y, partial[a][j], count);
    }
}

template <class Panel, int kM, int kV>
CLEAVE_INLINE void dense_columns(const DenseTile& tile, int64_t row, const typename Panel::Element* w, int64_t first) {
  for (int64_t c = 0; c < kPanelRows && first + c < tile.columns; c += kV * kLanes)
    dense_tile<Panel, kM, kV>(tile, row, w, c, first);
}

template <class Panel>
CLEAVE_INLINE void dense_product(const DenseTile& tile) {
  constexpr int kM = kBytes == 16 ? 4 : 6;  // with kV vectors each: 24 of 32, 12 of 16, 8 of 16 registers hold sums
  constexpr int kV = kBytes == 64 ? 4 : 2;
  constexpr int kWide =
      kBytes == 64 ? 4 : 8;  // for single rows: enough independent sums to hide the latency of an addition
  const int64_t steps = Panel::kStep == 1 ? tile.k : (tile.k + kPanelDepth - 1) / kPanelDepth * kPanelDepth / 2;
  const auto* w = reinterpret_cast<const typename Panel::Element*>(tile.weights);
  for (int64_t first = 0; first < tile.columns; first += kPanelRows, w += steps * kPanelRows) {
    int64_t row = 0;
    for (; row + kM <= tile.m; row += kM) dense_columns<Panel, kM, kV>(tile, row, w, first);
    for (; row + 2 <= tile.m; row += 2) dense_columns<Panel, 2, kV>(tile, row, w, first);
    for (; row < tile.m; ++row) dense_columns<Panel, 1, kWide>(tile, row, w, first);
  }
}

void f32_product(const DenseTile& tile) {
  dense_product<FloatPanel>(tile);
}
void bf16_product(const DenseTile& tile) {
  dense_product<Bfloat16Panel>(tile);
}

}  // namespace
}  // namespace cleave::kernels::simd
