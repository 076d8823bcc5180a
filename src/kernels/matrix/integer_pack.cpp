#include "kernels/matrix/integer_pack.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/float16.h"
#include "kernels/matrix/strip_packing.h"
#include "tensor/blocks.h"

// Packing of types whose groups have one scale, and maybe a minimum, for a whole record, and of NVFP4.
namespace cleave::kernels {
namespace {

// Levels of 32 elements of each row, one byte each, for types whose bits are nowhere near the layout's.
using Levels = std::array<std::array<uint8_t, 32>, kStripRows>;

// Exchanges element and place of 16 bit pairs: pair 4p + i becomes pair p of byte i.
inline uint32_t transpose_pairs(uint32_t x) {
  uint32_t moved = (x ^ x >> 6) & 0x00cc00cc;
  x ^= moved ^ moved << 6;
  moved = (x ^ x >> 12) & 0x0000f0f0;
  return x ^ moved ^ moved << 12;
}

// Eight nibbles of which the first four, or the last, become the low nibbles of four bytes.
inline uint32_t spread_nibbles(uint32_t x, bool upper) {
  x = upper ? x >> 16 : x & 0xffff;
  x = (x | x << 8) & 0x00ff00ff;
  return (x | x << 4) & kNibbles;
}

// Writes 32 elements in the layout for kBits: `words` are kBits words of a little-endian stream of each row.
template <int kBits>
inline void put_stream(const Column* words, std::byte* out) {
  if constexpr (kBits == 8) {
    std::memcpy(out, words, 8 * sizeof(Column));
  } else if constexpr (kBits == 4) {
    for (int t = 0; t < 4; ++t)
      put(out + t * 64, [&](size_t r) {
        return spread_nibbles(words[t / 2].of[r], t % 2 == 1) | spread_nibbles(words[t / 2 + 2].of[r], t % 2 == 1) << 4;
      });
  } else if constexpr (kBits == 2) {
    for (int t = 0; t < 2; ++t) put(out + t * 64, [&](size_t r) { return transpose_pairs(words[t].of[r]); });
  } else {
    static_assert(kBits == 1);
    put(out, [&](size_t r) { return transpose_bits(words[0].of[r]); });
  }
}

// Writes 32 levels of two or three bits.
inline void put_levels(const Levels& levels, bool third_bit, std::byte* out) {
  for (int t = 0; t < 2; ++t)
    put(out + t * 64, [&](size_t r) {
      uint32_t pairs = 0;
      for (int i = 0; i < 16; ++i)
        pairs |= (levels[r][static_cast<size_t>(16 * t + i)] & 3u) << (8 * (i % 4) + 2 * (i / 4));
      return pairs;
    });
  if (!third_bit) return;
  put(out + 128, [&](size_t r) {
    uint32_t plane = 0;
    for (int i = 0; i < 32; ++i) plane |= (levels[r][static_cast<size_t>(i)] >> 2 & 1u) << (8 * (i % 4) + i / 4);
    return plane;
  });
}

// The next 32 levels of three bits of each row, from byte `offset` of the block on.
template <class Block>
Levels read_threes(const std::byte* const* rows, int64_t b, size_t offset) {
  Levels levels;
  for (size_t r = 0; r < levels.size(); ++r) {
    const auto* from = reinterpret_cast<const std::byte*>(&block_of<Block>(rows, r, b)) + offset;
    for (size_t i = 0; i < 32; i += 8) {
      uint32_t bits = 0;
      std::memcpy(&bits, from + i / 8 * 3, 3);
      for (size_t j = 0; j < 8; ++j) levels[r][i + j] = static_cast<uint8_t>(bits >> (3 * j) & 7);
    }
  }
  return levels;
}

// The levels of a BlockInt or BlockUint in groups of 32, which begin at byte `offset`.
template <class Block, LayoutId kId, int kBits, int kGroup>
inline void put_groups(const std::byte* const* rows, int64_t b, size_t offset, std::byte* record) {
  for (int g = 0; g < kGroup / 32; ++g) {
    const size_t from = offset + static_cast<size_t>(g) * kBits * 4;
    if constexpr (kBits == 3)
      put_levels(read_threes<Block>(rows, b, from), true, vector_at<kId>(record, g, 0));
    else
      put_stream<kBits>(Words<Block, kBits>(rows, b, from).at(0), vector_at<kId>(record, g, 0));
  }
}

// Digit n of base 3 of a byte of TQ1_0.
inline uint8_t ternary_digit(uint8_t digits, int n) {
  constexpr std::array<uint8_t, 5> kPowers = {1, 3, 9, 27, 81};
  return static_cast<uint8_t>(static_cast<uint8_t>(digits * kPowers[static_cast<size_t>(n)]) * 3 >> 8);
}

inline uint8_t ternary_level(const BlockTQ1_0& block, int i) {
  if (i < 160) return ternary_digit(block.qs[i % 32], i / 32);
  if (i < 240) return ternary_digit(block.qs[32 + i % 16], (i - 160) / 16);
  return ternary_digit(block.qh[i % 4], (i - 240) / 4);
}

}  // namespace

template <int kBits, int kGroup, LayoutId kId>
struct Pack<BlockInt<kBits, kGroup>, kId> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    using Block = BlockInt<kBits, kGroup>;
    put<uint16_t>(record, [&](size_t r) { return to_float16(block_of<Block>(rows, r, b).scale).bits; });
    put_groups<Block, kId, kBits, kGroup>(rows, b, offsetof(Block, levels), record);
  }
};

template <int kBits, int kGroup, LayoutId kId>
struct Pack<BlockUint<kBits, kGroup>, kId> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    using Block = BlockUint<kBits, kGroup>;
    put<uint16_t>(record, [&](size_t r) { return to_float16(block_of<Block>(rows, r, b).scale).bits; });
    put<uint16_t>(record + kStripRows * 2,
                  [&](size_t r) { return to_float16(block_of<Block>(rows, r, b).minimum).bits; });
    put_groups<Block, kId, kBits, kGroup>(rows, b, offsetof(Block, levels), record);
  }
};

template <>
struct Pack<BlockQ1_0, LayoutId::Q1_0> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    const Words<BlockQ1_0, 4> words(rows, b, offsetof(BlockQ1_0, qs));
    put_scale<BlockQ1_0>(rows, b, record);
    for (int g = 0; g < 4; ++g) put_stream<1>(words.at(g), vector_at<LayoutId::Q1_0>(record, g, 0));
  }
};

template <>
struct Pack<BlockQ2_0, LayoutId::Ternary> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    const Words<BlockQ2_0, 4> words(rows, b, offsetof(BlockQ2_0, qs));
    put_scale<BlockQ2_0>(rows, b, record);
    for (int g = 0; g < 2; ++g) put_stream<2>(words.at(2 * g), vector_at<LayoutId::Ternary>(record, g, 0));
  }
};

template <>
struct Pack<BlockTQ2_0, LayoutId::Ternary> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    const Words<BlockTQ2_0, 16> words(rows, b, 0);
    put_scale<BlockTQ2_0>(rows, b, record);
    for (int g = 0; g < 8; ++g)
      for (int t = 0; t < 2; ++t)
        put_pairs(words.at(g / 4 * 8 + 4 * t), g % 4 * 2, vector_at<LayoutId::Ternary>(record, g, t));
  }
};

template <>
struct Pack<BlockTQ1_0, LayoutId::Ternary> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    put_scale<BlockTQ1_0>(rows, b, record);
    for (int g = 0; g < 8; ++g) {
      Levels levels;
      for (size_t r = 0; r < levels.size(); ++r)
        for (int i = 0; i < 32; ++i)
          levels[r][static_cast<size_t>(i)] = ternary_level(block_of<BlockTQ1_0>(rows, r, b), 32 * g + i);
      put_levels(levels, false, vector_at<LayoutId::Ternary>(record, g, 0));
    }
  }
};

namespace {

// Groups of 4-bit floats. Vector t of a group has elements 4t ... 4t + 3 low and 4t + 16 ... high; of a byte of the
// block the high nibble comes first.
template <LayoutId kId>
void pack_float4(const std::byte* const* rows, int64_t k, const BlockLayout& layout, std::byte* strip) {
  for (int64_t b = 0; b < k / layout.elements(); ++b, strip += layout.record_bytes()) {
    put<uint16_t>(strip, [&](size_t r) {
      return to_float16(block_of<BlockFloat4>(rows, r, b).scale / static_cast<float>(layout.zero)).bits;
    });
    const Words<BlockFloat4, 8> words(rows, b, offsetof(BlockFloat4, qs));
    for (int g = 0; g < layout.groups; ++g)
      for (int t = 0; t < 4; ++t)
        put(vector_at<kId>(strip, g, t), [&](size_t r) {
          const auto four = [&](int word) {
            const uint32_t x = words.at(4 * g + word)->of[r];
            return spread_nibbles((x >> 4 & kNibbles) | (x & kNibbles) << 4, t % 2 == 1);
          };
          return four(t / 2) | four(t / 2 + 2) << 4;
        });
  }
}

// The scale of a sub-block as Minifloats: the bits of an f16 that E4M3 needs. Its numbers have no subnormal ones there.
inline uint8_t minifloat(uint8_t scale) {
  return static_cast<uint8_t>(to_float16(nvfp4_scale(scale)).bits >> 7);
}

// Writes one sub-block of 16 elements of each row: scale, and levels with element i in the low and i + 8 in the high
// nibble of byte i, as the layout has them.
template <class Block, class ScaleOf>
inline void put_fp4(const std::byte* const* rows, int64_t b, size_t levels, ScaleOf scale_of, std::byte* unit) {
  put<uint8_t>(unit, [&](size_t r) { return minifloat(scale_of(block_of<Block>(rows, r, b))); });
  const Words<Block, 2> words(rows, b, levels);
  std::memcpy(unit + layout(LayoutId::NVFP4).scale_bytes(), words.at(0), sizeof words);
}

void pack_nvfp4(const std::byte* const* rows, int64_t k, const BlockLayout& layout, std::byte* strip) {
  for (int64_t first = 0; first < k; first += layout.elements(), strip += layout.record_bytes()) {
    put<float>(strip, [](size_t) { return 1.0f; });
    for (int g = 0; g < layout.groups; ++g) {
      const int64_t group = first / 16 + g, s = group % 4;
      put_fp4<BlockNVFP4>(
          rows, group / 4, offsetof(BlockNVFP4, qs) + static_cast<size_t>(s) * 8,
          [s](const BlockNVFP4& block) { return block.scales[s]; },
          strip + layout.header_bytes() + g * layout.unit_bytes());
    }
  }
}

void pack_nvfp4_g16(const std::byte* const* rows, int64_t k, const BlockLayout& layout, std::byte* strip) {
  for (int64_t first = 0; first < k; first += layout.elements(), strip += layout.record_bytes()) {
    put<float>(strip, [&](size_t r) { return block_of<BlockNVFP4_G16>(rows, r, first / 16).factor; });
    for (int g = 0; g < layout.groups; ++g)
      put_fp4<BlockNVFP4_G16>(
          rows, first / 16 + g, offsetof(BlockNVFP4_G16, qs), [](const BlockNVFP4_G16& block) { return block.scale; },
          strip + layout.header_bytes() + g * layout.unit_bytes());
  }
}

// Groups of 32 have the layouts of GGML's types.
constexpr std::array kIntegerPackers = {
    packer<BlockQ1_0, LayoutId::Q1_0>(DType::Q1_0),
    packer<BlockQ2_0, LayoutId::Ternary>(DType::Q2_0),
    packer<BlockTQ1_0, LayoutId::Ternary>(DType::TQ1_0),
    packer<BlockTQ2_0, LayoutId::Ternary>(DType::TQ2_0),
    Packer{DType::NVFP4, LayoutId::NVFP4, pack_nvfp4},
    Packer{DType::NVFP4_G16, LayoutId::NVFP4, pack_nvfp4_g16},
    Packer{DType::NF4_G64, LayoutId::Nf4, pack_float4<LayoutId::Nf4>},
    Packer{DType::FP4_G64, LayoutId::Fp4, pack_float4<LayoutId::Fp4>},
    packer<BlockInt<2, 32>, LayoutId::Int2>(DType::INT2_G32),
    packer<BlockInt<2, 64>, LayoutId::Int2>(DType::INT2_G64),
    packer<BlockInt<2, 128>, LayoutId::Int2>(DType::INT2_G128),
    packer<BlockInt<3, 32>, LayoutId::Int3>(DType::INT3_G32),
    packer<BlockInt<3, 64>, LayoutId::Int3>(DType::INT3_G64),
    packer<BlockInt<3, 128>, LayoutId::Int3>(DType::INT3_G128),
    packer<BlockInt<4, 32>, LayoutId::Q4_0>(DType::INT4_G32),
    packer<BlockInt<4, 64>, LayoutId::Int4>(DType::INT4_G64),
    packer<BlockInt<4, 128>, LayoutId::Int4>(DType::INT4_G128),
    packer<BlockInt<8, 32>, LayoutId::Q8_0>(DType::INT8_G32),
    packer<BlockInt<8, 64>, LayoutId::Int8>(DType::INT8_G64),
    packer<BlockInt<8, 128>, LayoutId::Int8>(DType::INT8_G128),
    packer<BlockUint<2, 32>, LayoutId::Uint2>(DType::UINT2_G32),
    packer<BlockUint<2, 64>, LayoutId::Uint2>(DType::UINT2_G64),
    packer<BlockUint<2, 128>, LayoutId::Uint2>(DType::UINT2_G128),
    packer<BlockUint<3, 32>, LayoutId::Uint3>(DType::UINT3_G32),
    packer<BlockUint<3, 64>, LayoutId::Uint3>(DType::UINT3_G64),
    packer<BlockUint<3, 128>, LayoutId::Uint3>(DType::UINT3_G128),
    packer<BlockUint<4, 32>, LayoutId::Q4_1>(DType::UINT4_G32),
    packer<BlockUint<4, 64>, LayoutId::Uint4>(DType::UINT4_G64),
    packer<BlockUint<4, 128>, LayoutId::Uint4>(DType::UINT4_G128),
    packer<BlockUint<8, 32>, LayoutId::Uint8>(DType::UINT8_G32),
    packer<BlockUint<8, 64>, LayoutId::Uint8>(DType::UINT8_G64),
    packer<BlockUint<8, 128>, LayoutId::Uint8>(DType::UINT8_G128),
};

}  // namespace

std::span<const Packer> integer_packers() {
  return kIntegerPackers;
}

}  // namespace cleave::kernels
