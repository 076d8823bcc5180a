#include "kernels/matrix/grid_pack.h"

#include <array>

#include "kernels/matrix/strip_packing.h"
#include "tensor/blocks.h"

// Packing of types with codebooks of vectors. A unit has 32 elements: four parts of eight, which have an index or two
// each. Its vectors hold a byte of each part.
namespace cleave::kernels {
namespace {

// Four bytes, byte p made by f(p).
template <class F>
inline uint32_t four_bytes(F f) {
  return (f(0) & 255u) | (f(1) & 255u) << 8 | (f(2) & 255u) << 16 | (f(3) & 255u) << 24;
}

// Seven bits of signs of each part and, as bit 7, the bits of the unit's scale: those of a little-endian word of
// IQ2_XXS and IQ3_XXS.
inline void put_signs_and_scale(const Column& words, std::byte* out) {
  put(out, [&](size_t r) {
    return four_bytes([w = words.of[r]](int p) { return (w >> (7 * p) & 127) | (w >> (28 + p) & 1) << 7; });
  });
}

// Nibbles of bytes of scales: unit u has byte u % 4 of `scales`.
template <LayoutId kId>
inline void put_nibble_scales(const Column& scales, int u, std::byte* record) {
  put_bytes(scales, u % 4, scales_at<kId>(record, u));
}

// The indices of four elements each: even ones of eight bytes in the first vector, odd ones in the second.
template <LayoutId kId>
inline void put_quad_indices(const Column* words, int u, std::byte* record) {
  for (int odd = 0; odd < 2; ++odd)
    put(vector_at<kId>(record, u, odd),
        [&](size_t r) { return four_bytes([&](int p) { return words[p / 2].of[r] >> (p % 2 * 16 + odd * 8); }); });
}

}  // namespace

template <>
struct Pack<BlockIQ2_XXS, LayoutId::IQ2_XXS> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::IQ2_XXS;
    const Words<BlockIQ2_XXS, 16> words(rows, b, offsetof(BlockIQ2_XXS, qs));
    put_scale<BlockIQ2_XXS>(rows, b, record);
    for (int u = 0; u < 8; ++u) {
      std::memcpy(vector_at<kId>(record, u, 0), words.at(2 * u), sizeof(Column));
      put_signs_and_scale(*words.at(2 * u + 1), vector_at<kId>(record, u, 1));
    }
  }
};

template <>
struct Pack<BlockIQ2_XS, LayoutId::IQ2_XS> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::IQ2_XS;
    const Words<BlockIQ2_XS, 18> words(rows, b, offsetof(BlockIQ2_XS, qs));  // 16 bits of each part, scales
    put_scale<BlockIQ2_XS>(rows, b, record);
    for (int u = 0; u < 8; ++u) {
      const auto part = [&](size_t r, int p) { return words.at(2 * u + p / 2)->of[r] >> (p % 2 * 16) & 0xffff; };
      put_nibble_scales<kId>(*words.at(16 + u / 4), u, record);
      put(vector_at<kId>(record, u, 0), [&](size_t r) { return four_bytes([&](int p) { return part(r, p); }); });
      put(vector_at<kId>(record, u, 1),
          [&](size_t r) { return four_bytes([&](int p) { return part(r, p) >> 9 | (part(r, p) >> 8 & 1) << 7; }); });
    }
  }
};

template <>
struct Pack<BlockIQ2_S, LayoutId::IQ2_S> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::IQ2_S;
    const Words<BlockIQ2_S, 20> words(rows, b, offsetof(BlockIQ2_S, qs));  // indices, signs, their upper bits, scales
    put_scale<BlockIQ2_S>(rows, b, record);
    for (int u = 0; u < 8; ++u) {
      put_nibble_scales<kId>(*words.at(18 + u / 4), u, record);
      std::memcpy(vector_at<kId>(record, u, 0), words.at(u), sizeof(Column));
      std::memcpy(vector_at<kId>(record, u, 1), words.at(8 + u), sizeof(Column));
      put_bytes(*words.at(16 + u / 4), u % 4, vector_at<kId>(record, u, 2));
    }
  }
};

template <>
struct Pack<BlockIQ3_XXS, LayoutId::IQ3_XXS> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::IQ3_XXS;
    const Words<BlockIQ3_XXS, 24> words(rows, b, offsetof(BlockIQ3_XXS, qs));
    put_scale<BlockIQ3_XXS>(rows, b, record);
    for (int u = 0; u < 8; ++u) {
      put_quad_indices<kId>(words.at(2 * u), u, record);
      put_signs_and_scale(*words.at(16 + u), vector_at<kId>(record, u, 2));
    }
  }
};

template <>
struct Pack<BlockIQ3_S, LayoutId::IQ3_S> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::IQ3_S;
    const Words<BlockIQ3_S, 27> words(rows, b, offsetof(BlockIQ3_S, qs));  // indices, upper bits, signs, scales
    put_scale<BlockIQ3_S>(rows, b, record);
    for (int u = 0; u < 8; ++u) {
      put<uint8_t>(scales_at<kId>(record, u), [&](size_t r) { return 2 * (words.at(26)->of[r] >> (4 * u) & 15) + 1; });
      put_quad_indices<kId>(words.at(2 * u), u, record);
      std::memcpy(vector_at<kId>(record, u, 2), words.at(18 + u), sizeof(Column));
      put_bytes(*words.at(16 + u / 4), u % 4, vector_at<kId>(record, u, 3));
    }
  }
};

template <>
struct Pack<BlockIQ1_S, LayoutId::IQ1_S> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::IQ1_S;
    const Words<BlockIQ1_S, 12> words(rows, b, offsetof(BlockIQ1_S, qs));  // indices; upper bits, scales and signs
    put_scale<BlockIQ1_S>(rows, b, record);
    for (int u = 0; u < 8; ++u) {
      std::memcpy(vector_at<kId>(record, u, 0), words.at(u), sizeof(Column));
      put<uint16_t>(vector_at<kId>(record, u, 1), [&](size_t r) { return words.at(8 + u / 2)->of[r] >> (u % 2 * 16); });
    }
  }
};

template <>
struct Pack<BlockIQ1_M, LayoutId::IQ1_M> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::IQ1_M;
    const Words<BlockIQ1_M, 14> words(rows, b, 0);  // indices, upper bits and signs, scales
    put<uint16_t>(record, [&](size_t r) { return scale_of(block_of<BlockIQ1_M>(rows, r, b)).bits; });
    for (int u = 0; u < 8; ++u) {
      put<uint8_t>(scales_at<kId>(record, u), [&](size_t r) {  // two of three bits become nibbles
        const uint32_t both = words.at(12 + u / 4)->of[r] >> (u / 2 % 2 * 16 + u % 2 * 6);
        return (both & 7) | (both >> 3 & 7) << 4;
      });
      std::memcpy(vector_at<kId>(record, u, 0), words.at(u), sizeof(Column));
      put<uint16_t>(vector_at<kId>(record, u, 1), [&](size_t r) { return words.at(8 + u / 2)->of[r] >> (u % 2 * 16); });
    }
  }
};

namespace {

constexpr std::array kGridPackers = {
    packer<BlockIQ1_S, LayoutId::IQ1_S>(DType::IQ1_S),       packer<BlockIQ1_M, LayoutId::IQ1_M>(DType::IQ1_M),
    packer<BlockIQ2_XXS, LayoutId::IQ2_XXS>(DType::IQ2_XXS), packer<BlockIQ2_XS, LayoutId::IQ2_XS>(DType::IQ2_XS),
    packer<BlockIQ2_S, LayoutId::IQ2_S>(DType::IQ2_S),       packer<BlockIQ3_XXS, LayoutId::IQ3_XXS>(DType::IQ3_XXS),
    packer<BlockIQ3_S, LayoutId::IQ3_S>(DType::IQ3_S),
};

}  // namespace

std::span<const Packer> grid_packers() {
  return kGridPackers;
}

}  // namespace cleave::kernels
