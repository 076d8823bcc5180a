// Products of many rows with bf16 panels in matrix tiles, for any set of tile registers: the processor's
// (tile_product.cpp), or one in plain memory, for tests on processors without tiles.
//
// A part of a panel, [depth / 2][64][2], has the form of the second operand of TDPBF16PS: a tile is 16 pairs of
// elements of 16 columns, with its rows a panel's row apart. Four tiles of sums, 32 rows by 32 columns, need 64 lines
// of 64 bytes for every 32 elements, which the processor multiplies in 64 cycles. A second-level cache cannot keep up
// with that, so 128 elements of a panel stay in a first-level cache of 48 KB while all rows pass by, each block of 32
// rows for both halves of the panel. Sums lie together until they are done. Meanwhile the weights that come next are
// prefetched.
//
// A test counts the lines of a product of 16 x 16 x 32: 9 from the second-level cache and 1.6 from beyond. With parts
// of 512 elements, one half of the panel after the other and sums in y they were 18 and 2.6.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/layout/dense_layout.h"
#include "kernels/simd/product_tiles.h"

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

/// Where the numbers of a block of rows lie.
struct BlockPlace {
  const uint16_t* x;
  const std::byte* w;
  const float* from;  // sums before, or null for zeros
  int64_t ld_from;
  float* to;
  int64_t ld_to;
};

/// The product of up to 32 rows with 32 columns. The second 16 rows are computed only if there are some.
template <TileRegisters Tiles, bool kTwo>
void multiply_block(Tiles& tiles, const PanelTile& tile, int64_t depth, const BlockPlace& at) {
  const int64_t x_row = tile.layout.rows == 1 ? tile.ldx : tile.layout.group;  // numbers from one row to the next
  const int64_t x_step = kPanelDepth * tile.layout.rows;                       // and from one tile to the next
  const int64_t x_stride = x_row * 2, w_stride = kPanelRows * 4;
  if (at.from != nullptr) {
    const int64_t stride = at.ld_from * 4;
    tiles.template load<0>(at.from, stride);
    tiles.template load<1>(at.from + kTileSide, stride);
    if constexpr (kTwo) {
      tiles.template load<2>(at.from + kTileSide * at.ld_from, stride);
      tiles.template load<3>(at.from + kTileSide * at.ld_from + kTileSide, stride);
    }
  } else {
    tiles.template zero<0>();
    tiles.template zero<1>();
    tiles.template zero<2>();
    tiles.template zero<3>();
  }
  const auto* x = at.x;
  const auto* w = at.w;
  for (int64_t i = 0; i < depth; i += kPanelDepth, x += x_step, w += kPanelDepth / 2 * w_stride) {
    tiles.template load<4>(x, x_stride);
    tiles.template load<6>(w, w_stride);
    tiles.template load<7>(w + kTileSide * 4, w_stride);
    tiles.template multiply_bfloat16<0, 4, 6>();
    tiles.template multiply_bfloat16<1, 4, 7>();
    if constexpr (kTwo) {
      tiles.template load<5>(x + kTileSide * x_row, x_stride);
      tiles.template multiply_bfloat16<2, 5, 6>();
      tiles.template multiply_bfloat16<3, 5, 7>();
    }
  }
  const int64_t stride = at.ld_to * 4;
  tiles.template store<0>(at.to, stride);
  tiles.template store<1>(at.to + kTileSide, stride);
  if constexpr (kTwo) {
    tiles.template store<2>(at.to + kTileSide * at.ld_to, stride);
    tiles.template store<3>(at.to + kTileSide * at.ld_to + kTileSide, stride);
  }
}

/// The same for `rows` rows and `columns` columns, at most 32 each. Tiles are whole; `from` and `to` need not be.
template <TileRegisters Tiles>
void multiply_part(Tiles& tiles, const PanelTile& tile, int64_t depth, int64_t rows, int64_t columns,
                   const BlockPlace& at) {
  const auto multiply = rows > kTileSide ? multiply_block<Tiles, true> : multiply_block<Tiles, false>;
  if (rows % kTileSide == 0 && columns == kBlockSide) return multiply(tiles, tile, depth, at);
  alignas(64) float sums[kBlockSide][kBlockSide] = {};
  const auto bytes = static_cast<size_t>(columns) * sizeof(float);
  for (int64_t i = 0; at.from != nullptr && i < rows; ++i) std::memcpy(sums[i], at.from + i * at.ld_from, bytes);
  multiply(tiles, tile, depth, {at.x, at.w, at.from == nullptr ? nullptr : sums[0], kBlockSide, sums[0], kBlockSide});
  for (int64_t i = 0; i < rows; ++i) std::memcpy(at.to + i * at.ld_to, sums[i], bytes);
}

/// Prefetches the i-th of `count` equal parts of tile.next.
inline void ask_for_next(const PanelTile& tile, int64_t i, int64_t count) {
  if (tile.next == nullptr) return;
  const int64_t lines = tile.depth * kPanelRows * 2 / 64;
  for (int64_t line = lines * i / count; line < lines * (i + 1) / count; ++line)
    __builtin_prefetch(tile.next + line * 64, 0, 2);
}

/// Table::panel_product in tiles. x may lie in kTileRowLayout. REQUIRES: depth is a multiple of kPanelDepth; x has
/// memory for rows up to a multiple of kTileSide, whatever is in it.
template <TileRegisters Tiles>
void tile_product(Tiles& tiles, const PanelTile& tile) {
  static_assert(kTileRowLayout.rows == kBlockSide && kTileRowLayout.group == kPanelDepth);
  constexpr int64_t kDepthAtOnce = 128;
  const int64_t step = tile.sums == nullptr ? tile.depth : kDepthAtOnce;
  const int64_t steps = (tile.depth + step - 1) / step, row_blocks = (tile.m + kBlockSide - 1) / kBlockSide;
  for (int64_t first = 0; first < tile.depth; first += step) {
    const bool last = first + step >= tile.depth;
    for (int64_t row = 0; row < tile.m; row += kBlockSide) {
      ask_for_next(tile, first / step * row_blocks + row / kBlockSide, steps * row_blocks);
      for (int64_t column = 0; column < tile.columns; column += kBlockSide) {
        float* sums = tile.sums == nullptr ? nullptr : tile.sums + row * tile.ld_sums + column;
        float* y = tile.y == nullptr || !last ? nullptr : tile.y + row * tile.ldy + column;
        multiply_part(tiles, tile, std::min(step, tile.depth - first), std::min(kBlockSide, tile.m - row),
                      std::min(kBlockSide, tile.columns - column),
                      {.x = static_cast<const uint16_t*>(tile.x) + row * tile.ldx + first * tile.layout.rows,
                       .w = tile.weights + first * kPanelRows * 2 + column * 4,
                       .from = tile.first && first == 0 ? nullptr : sums,
                       .ld_from = tile.ld_sums,
                       .to = y == nullptr ? sums : y,
                       .ld_to = y == nullptr ? tile.ld_sums : tile.ldy});
      }
    }
  }
}

}  // namespace cleave::kernels::simd
