// Products of few rows with fp8 panels (kernels/layout/dense_layout.h), and such panels widened for products of many.
//
// E4M3 numbers become f16 by moving bits: the sign to bit 15, the others to bits 7 to 13. The result is the number
// times 2^-8, subnormal ones included, and the panel's scales make that good.
#pragma once

#include "kernels/layout/dense_layout.h"
#include "kernels/simd/panels-inl.h"
#include "kernels/simd/product_tiles.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// kLanes numbers of E4M3, times 2^-8.
CLEAVE_INLINE F32 load_fp8(const std::byte* p) {
#if defined(__AVX512F__)
  const __m256i words = _mm256_slli_epi16(_mm256_cvtepi8_epi16(load_as<__m128i>(p)), 7);
  const __m256i halves = _mm256_and_si256(words, _mm256_set1_epi16(static_cast<int16_t>(0xbf80)));
  return bits<F32>(_mm512_maskz_cvtph_ps(0xffff, halves));
#elif defined(__AVX2__)
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  const __m128i words = _mm_slli_epi16(_mm_cvtepi8_epi16(bytes), 7);
  return bits<F32>(_mm256_cvtph_ps(_mm_and_si128(words, _mm_set1_epi16(static_cast<int16_t>(0xbf80)))));
#else
  const auto x = bits<U32>(load_unsigned_bytes(p));
  const F32 magnitude = bits<F32>((x & 0x7fu) << 20) * 0x1p112f;
  return bits<F32>(bits<U32>(magnitude) | (x & 0x80u) << 24);
#endif
}

// The product of kM rows with kV vectors of columns of a panel, from `column` on, which is column `target` of y. Terms
// are those of f32 panels, in their order.
template <int kM, int kV>
CLEAVE_INLINE void fp8_tile(const DenseTile& tile, int64_t row, const std::byte* panel, int64_t column,
                            int64_t target) {
  F32 sums[kM][kV] = {};
  const float* x = tile.x + row * tile.k;
  for (const float* end = x + tile.k; x != end; panel += kFp8RecordBytes) {
    F32 scales[kV];
    for (int j = 0; j < kV; ++j) scales[j] = load(reinterpret_cast<const float*>(panel) + column + j * kLanes);
    const std::byte* w = panel + kFp8ScaleBytes + column;
    for (const float* group = x + kFp8Group; x != group; ++x, w += kPanelRows) {
      if (tile.prefetch && row == 0) prefetch<kV * kLanes>(w);
#pragma GCC unroll 8
      for (int j = 0; j < kV; ++j) {
        const F32 weight = load_fp8(w + j * kLanes) * scales[j];
#pragma GCC unroll 4
        for (int a = 0; a < kM; ++a) sums[a][j] = multiply_add(set(x[a * tile.k]), weight, sums[a][j]);
      }
    }
  }
  for (int a = 0; a < kM; ++a)
    for (int j = 0; j < kV; ++j) {
      float* y = tile.y + (row + a) * tile.ldy + target + j * kLanes;
      const int64_t count = tile.columns - target - j * kLanes;
      if (count >= kLanes)
        store(y, sums[a][j]);
      else
        store_part(y, sums[a][j], count);
    }
}

template <int kM, int kV>
CLEAVE_INLINE void fp8_columns(const DenseTile& tile, int64_t row, const std::byte* panel, int64_t first) {
  for (int64_t c = 0; c < kPanelRows && first + c < tile.columns; c += kV * kLanes)
    fp8_tile<kM, kV>(tile, row, panel, c, first + c);
}

void fp8_product(const DenseTile& tile) {
  constexpr int kV = kBytes == 64 ? 4 : 2;
  constexpr int kWide = kBytes == 64 ? 4 : 8;  // for single rows, as in dense_product()
  const std::byte* panel = tile.weights;
  for (int64_t first = 0; first < tile.columns; first += kPanelRows, panel += tile.k / kFp8Group * kFp8RecordBytes) {
    int64_t row = 0;
    for (; row + 4 <= tile.m; row += 4) fp8_columns<4, kV>(tile, row, panel, first);
    for (; row + 2 <= tile.m; row += 2) fp8_columns<2, kV>(tile, row, panel, first);
    for (; row < tile.m; ++row) fp8_columns<1, kWide>(tile, row, panel, first);
  }
}

void widen_fp8_panel(const std::byte* panel, int64_t depth, float* out) {
  for (int64_t group = 0; group < depth; group += kFp8Group, panel += kFp8RecordBytes) {
    const std::byte* w = panel + kFp8ScaleBytes;
    for (int64_t i = 0; i < kFp8Group; ++i, w += kPanelRows, out += kPanelRows)
      for (int64_t j = 0; j < kPanelRows; j += kLanes)
        store(out + j, load_fp8(w + j) * load(reinterpret_cast<const float*>(panel) + j));
  }
}

#if defined(__AVX512BF16__)

struct Fp8Panels {
  static void widen_to_bfloat16(const std::byte* panel, int64_t depth, std::byte* out) {
    for (int64_t group = 0; group < depth; group += kFp8Group, panel += kFp8RecordBytes) {
      const std::byte* w = panel + kFp8ScaleBytes;
      F32 scales[kPanelVectors];
      for (int j = 0; j < kPanelVectors; ++j) scales[j] = load(reinterpret_cast<const float*>(panel) + j * kLanes);
      for (int64_t i = 0; i < kFp8Group; i += 2, w += 2 * kPanelRows)
        for (int j = 0; j < kPanelVectors; ++j, out += kBytes)
          store_as(out,
                   pair_up(load_fp8(w + j * kLanes) * scales[j], load_fp8(w + kPanelRows + j * kLanes) * scales[j]));
    }
  }
};

#else

struct Fp8Panels {
  static constexpr void (*widen_to_bfloat16)(const std::byte*, int64_t, std::byte*) = nullptr;
};

#endif

}  // namespace
}  // namespace cleave::kernels::simd
