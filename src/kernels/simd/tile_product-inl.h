// Products of many rows with bf16 panels in matrix tiles, for a set of tile registers: the processor's
// (tile_product.cpp), or one in plain memory for tests on processors without.
//
// A panel's part [depth / 2][64][2] is what TDPBF16PS wants of its second operand: a tile is 16 pairs of elements of 16
// columns, its rows a panel's row apart. Four tiles of sums, 32 rows by 32 columns, take two tiles of either side for
// every 32 elements; so half of a panel's part stays in the first-level cache while all rows pass by.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/dense_layout.h"
#include "kernels/simd/table.h"

namespace cleave::kernels::simd {

/// Tile registers 0 to 7, each of 16 rows of 64 bytes.
template <typename T>
concept TileRegisters = requires(T tiles, const void* from, void* to, int64_t stride) {
  tiles.template zero<0>();
  tiles.template load<0>(from, stride);         // rows `stride` bytes apart
  tiles.template store<0>(to, stride);          // likewise
  tiles.template multiply_bfloat16<0, 1, 2>();  // TDPBF16PS: 0[i][j] += sum of 1[i][2p + e] * 2[p][2j + e]
};

inline constexpr int64_t kTileSide = 16;              // rows of a tile, and f32 of its rows
inline constexpr int64_t kBlockSide = 2 * kTileSide;  // rows and columns that four tiles of sums cover

/// Sums of 32 columns and up to 32 rows, of which those beyond 16 are only computed where there are such.
template <TileRegisters Tiles, bool kTwo>
void multiply_block(Tiles& tiles, const PanelTile& tile, const uint16_t* x, const std::byte* w, float* y, int64_t ldy,
                    bool accumulate) {
  const int64_t x_stride = tile.ldx * 2, w_stride = kPanelRows * 4, y_stride = ldy * 4;
  if (accumulate) {
    tiles.template load<0>(y, y_stride);
    tiles.template load<1>(y + kTileSide, y_stride);
    if constexpr (kTwo) {
      tiles.template load<2>(y + kTileSide * ldy, y_stride);
      tiles.template load<3>(y + kTileSide * ldy + kTileSide, y_stride);
    }
  } else {
    tiles.template zero<0>();
    tiles.template zero<1>();
    tiles.template zero<2>();
    tiles.template zero<3>();
  }
  for (int64_t i = 0; i < tile.depth; i += kPanelDepth, x += kPanelDepth, w += kPanelDepth / 2 * w_stride) {
    tiles.template load<4>(x, x_stride);
    tiles.template load<6>(w, w_stride);
    tiles.template load<7>(w + kTileSide * 4, w_stride);
    tiles.template multiply_bfloat16<0, 4, 6>();
    tiles.template multiply_bfloat16<1, 4, 7>();
    if constexpr (kTwo) {
      tiles.template load<5>(x + kTileSide * tile.ldx, x_stride);
      tiles.template multiply_bfloat16<2, 5, 6>();
      tiles.template multiply_bfloat16<3, 5, 7>();
    }
  }
  tiles.template store<0>(y, y_stride);
  tiles.template store<1>(y + kTileSide, y_stride);
  if constexpr (kTwo) {
    tiles.template store<2>(y + kTileSide * ldy, y_stride);
    tiles.template store<3>(y + kTileSide * ldy + kTileSide, y_stride);
  }
}

/// Table::panel_product, but that depth is a multiple of kPanelDepth and x has rows up to a multiple of kTileSide.
template <TileRegisters Tiles>
void tile_product(Tiles& tiles, const PanelTile& tile) {
  for (int64_t column = 0; column < tile.columns; column += kBlockSide)
    for (int64_t row = 0; row < tile.m; row += kBlockSide) {
      const int64_t rows = std::min(kBlockSide, tile.m - row), columns = std::min(kBlockSide, tile.columns - column);
      const bool two = rows > kTileSide, whole = rows % kTileSide == 0 && columns == kBlockSide;
      const auto* x = static_cast<const uint16_t*>(tile.x) + row * tile.ldx;
      const std::byte* w = tile.weights + column * 4;
      float* y = tile.y + row * tile.ldy + column;
      const auto multiply = two ? multiply_block<Tiles, true> : multiply_block<Tiles, false>;
      if (whole) {
        multiply(tiles, tile, x, w, y, tile.ldy, tile.accumulate);
        continue;
      }
      // Tiles are whole, y is not.
      alignas(64) float sums[kBlockSide][kBlockSide] = {};
      const auto bytes = static_cast<size_t>(columns) * sizeof(float);
      for (int64_t i = 0; tile.accumulate && i < rows; ++i) std::memcpy(sums[i], y + i * tile.ldy, bytes);
      multiply(tiles, tile, x, w, sums[0], kBlockSide, tile.accumulate);
      for (int64_t i = 0; i < rows; ++i) std::memcpy(y + i * tile.ldy, sums[i], bytes);
    }
}

}  // namespace cleave::kernels::simd
