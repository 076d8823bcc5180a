// Products of many rows with bf16 panels (kernels/layout/dense_layout.h), and block layouts unpacked into such panels.
//
// A part of a panel stays in the second-level cache while all rows pass by it, six at a time. That takes 24 registers
// of sums, four of weights and one of activations, with the same pair in all lanes. Terms are added in ascending order
// for every row, so that a row's result does not depend on how rows and parts are cut.
//
// One core of a Zen 4: 226 GFLOP/s of 229 (512 x 1,024 x 2,048; oneDNN 2.6.3 222). Prefetching rows of y before they
// are written gains 2% at 512 x 8,192 x 2,048.
#pragma once

#include "kernels/layout/block_layout.h"
#include "kernels/layout/dense_layout.h"
#include "kernels/simd/blocks-inl.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

#if defined(__AVX512BF16__)

constexpr int kPanelVectors = kPanelRows / kLanes;

// The product of kM rows with a part of a panel. A step of the loop takes a pair of elements of the inner dimension.
template <int kM>
CLEAVE_INLINE void panel_rows(const PanelTile& tile, int64_t row) {
  const auto* x = static_cast<const uint16_t*>(tile.x) + row * tile.ldx;
  const int64_t ldy = tile.y != nullptr ? tile.ldy : tile.ld_sums;
  float* y = (tile.y != nullptr ? tile.y : tile.sums) + row * ldy;
  for (int a = 0; a < kM; ++a)  // rows lie so far apart that they push each other out of caches
    for (int64_t j = 0; j < tile.columns; j += kLanes) __builtin_prefetch(y + a * ldy + j, 1);
  __m512 partial[kM][kPanelVectors];
  for (int a = 0; a < kM; ++a)
    for (int j = 0; j < kPanelVectors; ++j)
      partial[a][j] = tile.first ? bits<__m512>(F32{})
                                 : _mm512_maskz_loadu_ps(lanes_within(tile.columns, j),
                                                         tile.sums + (row + a) * tile.ld_sums + j * kLanes);
  const std::byte* w = tile.weights;
  for (int64_t i = 0; i < tile.depth; i += 2, w += kPanelRows * 4) {
    if constexpr (kM == 2) prefetch<kPanelRows * 4>(w);  // weights come from memory; a single row see wants_prefetch()
    __m512bh weights[kPanelVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kPanelVectors; ++j) weights[j] = load_as<__m512bh>(w + j * kBytes);
#pragma GCC unroll 8
    for (int a = 0; a < kM; ++a) {
      const auto pair = bits<__m512bh>(_mm512_set1_epi32(load_as<int32_t>(x + a * tile.ldx + i)));
#pragma GCC unroll 4
      for (int j = 0; j < kPanelVectors; ++j) partial[a][j] = _mm512_dpbf16_ps(partial[a][j], weights[j], pair);
    }
  }
  for (int a = 0; a < kM; ++a)
    for (int j = 0; j < kPanelVectors; ++j)
      _mm512_mask_storeu_ps(y + a * ldy + j * kLanes, lanes_within(tile.columns, j), partial[a][j]);
}

// Makes a vector of a panel, in which numbers of the same lane form pairs.
CLEAVE_INLINE U32 pair_up(F32 even, F32 odd) {
  const __m512bh halves = _mm512_cvtne2ps_pbh(bits<__m512>(odd), bits<__m512>(even));
  using U16x32 = uint16_t __attribute__((vector_size(64)));
  constexpr U16x32 kInterleave = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                  8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return bits<U32>(_mm512_maskz_permutexvar_epi16(0xffffffff, bits<__m512i>(kInterleave), bits<__m512i>(halves)));
}

// Makes a vector of a panel from a vector of levels, which has four elements of each row: kFirst and kFirst + 1,
// scaled.
template <int kFirst>
CLEAVE_INLINE U32 unpack_pair(U32 levels, F32 scale, F32 offset) {
  const I32 even = bits<I32>((levels >> (8 * kFirst)) & 0xffu);
  const I32 odd = bits<I32>(kFirst == 2 ? levels >> 24 : (levels >> (8 * kFirst + 8)) & 0xffu);
  return pair_up(__builtin_convertvector(even, F32) * scale + offset,
                 __builtin_convertvector(odd, F32) * scale + offset);
}

// Unpacks a part of a strip, a group into kLayout.group / 2 vectors, which lie a panel's row apart.
template <BlockLayout kLayout>
CLEAVE_INLINE void unpack_strip(const std::byte* weights, int64_t depth, int groups, std::byte* out) {
  const auto* strip = reinterpret_cast<const uint8_t*>(weights);
  for_groups<kLayout, false>(strip, depth, groups, [&out](GroupScale w, const U8* levels) {
    const F32 offset = kLayout.minimum ? w.minimum : w.scale * static_cast<float>(-kLayout.zero);
#pragma GCC unroll 8
    for (int j = 0; j < kLayout.group / 4; ++j, out += 2 * kPanelRows * 4) {
      store_as(out, unpack_pair<0>(bits<U32>(levels[j]), w.scale, offset));
      store_as(out + kPanelRows * 4, unpack_pair<2>(bits<U32>(levels[j]), w.scale, offset));
    }
  });
}

struct PanelKernels {
  static void product(const PanelTile& tile) {
    int64_t row = 0;
    for (; row + 6 <= tile.m && row + 8 != tile.m; row += 6) panel_rows<6>(tile, row);  // the last eight are 4 + 4
    for (; row + 4 <= tile.m; row += 4) panel_rows<4>(tile, row);
    for (; row + 2 <= tile.m; row += 2) panel_rows<2>(tile, row);
    for (; row < tile.m; ++row) panel_rows<1>(tile, row);
  }

  template <BlockLayout kLayout>
  static void unpack(const UnpackTile& tile) {
    static_assert(kLanes == kStripRows);
    for (int64_t s = 0; s < kPanelVectors; ++s) {
      std::byte* out = tile.panel + s * kBytes;
      if (s < tile.strips)
        unpack_strip<kLayout>(tile.weights + s * tile.strip_bytes, tile.depth, tile.groups, out);
      else
        for (int64_t i = 0; i < tile.depth / 2; ++i) store_as(out + i * kPanelRows * 4, F32{});
    }
  }
};

#else

struct PanelKernels {
  static constexpr void (*product)(const PanelTile&) = nullptr;
  template <BlockLayout kLayout>
  static constexpr void (*unpack)(const UnpackTile&) = nullptr;
};

#endif

}  // namespace
}  // namespace cleave::kernels::simd
