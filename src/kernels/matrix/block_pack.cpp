#include "kernels/matrix/block_pack.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <span>

#include "base/check.h"
#include "kernels/matrix/grid_pack.h"
#include "kernels/matrix/integer_pack.h"
#include "kernels/matrix/strip_packing.h"
#include "tensor/blocks.h"

namespace cleave::kernels {
namespace {

// Elements of a record whose header is the same for a whole row, so that it weighs little. Parts of a product begin at
// multiples of it.
constexpr int64_t kMostElements = 256;

// Writes the levels of types of 32 elements with element i in the low and i + 16 in the high nibble of byte i, as they
// are: the layout has the same order.
template <class Block, LayoutId kId>
inline void put_nibbles(const std::byte* const* rows, int64_t block, std::byte* record) {
  const Words<Block, 4> words(rows, block, offsetof(Block, qs));
  std::memcpy(vector_at<kId>(record, 0, 0), words.at(0), sizeof words);
}

template <class Block, LayoutId kId>
inline void put_fifth_bits(const std::byte* const* rows, int64_t block, std::byte* record) {
  const Words<Block, 1> bits(rows, block, offsetof(Block, qh));
  put(vector_at<kId>(record, 0, 4), [&](size_t r) { return transpose_bits(bits.at(0)->of[r]); });
}

// Header and scales of Q4_K and Q5_K, of which `words` are the first four (see unpack_scales_k4()).
template <LayoutId kId>
inline void put_scales_k4(const Column* words, std::byte* record) {
  put_header(words[0], record, kSign);
  std::array<Column, 4> bytes;  // scales 0-3, 4-7, minima 0-3, 4-7
  for (size_t r = 0; r < kStripRows; ++r) {
    const uint32_t a = words[1].of[r], b = words[2].of[r], c = words[3].of[r];
    bytes[0].of[r] = a & 0x3f3f3f3f;
    bytes[1].of[r] = (c & kNibbles) | (a >> 6 & kPairs) << 4;
    bytes[2].of[r] = b & 0x3f3f3f3f;
    bytes[3].of[r] = (c >> 4 & kNibbles) | (b >> 6 & kPairs) << 4;
  }
  for (int g = 0; g < 8; ++g) {
    put_bytes(bytes[static_cast<size_t>(g / 4)], g % 4, scales_at<kId>(record, g));
    put_bytes(bytes[static_cast<size_t>(2 + g / 4)], g % 4, scales_at<kId>(record, g) + kStripRows);
  }
}

// Levels of Q4_K and Q5_K: groups of 32 are the low and the high nibbles of eight words.
template <LayoutId kId>
inline void put_levels_k4(const Column* qs, std::byte* record) {
  for (int g = 0; g < 8; ++g)
    for (int t = 0; t < 4; ++t) {
      const Column& first = qs[g / 2 * 8 + t];
      const Column& second = qs[g / 2 * 8 + t + 4];
      if (g % 2 == 0)
        put(vector_at<kId>(record, g, t),
            [&](size_t r) { return (first.of[r] & kNibbles) | (second.of[r] & kNibbles) << 4; });
      else
        put(vector_at<kId>(record, g, t),
            [&](size_t r) { return (first.of[r] >> 4 & kNibbles) | (second.of[r] & ~kNibbles); });
    }
}

}  // namespace

template <>
struct Pack<BlockQ4_0, LayoutId::Q4_0> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    put_scale<BlockQ4_0>(rows, b, record);
    put_nibbles<BlockQ4_0, LayoutId::Q4_0>(rows, b, record);
  }
};

template <>
struct Pack<BlockIQ4_NL, LayoutId::IQ4_NL> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    put_scale<BlockIQ4_NL>(rows, b, record);
    put_nibbles<BlockIQ4_NL, LayoutId::IQ4_NL>(rows, b, record);
  }
};

template <>
struct Pack<BlockMXFP4, LayoutId::MXFP4> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    put<uint16_t>(record, [&](size_t r) {  // a power of two: exact
      return std::bit_cast<uint32_t>(mxfp4_scale(block_of<BlockMXFP4>(rows, r, b).e)) >> 16;
    });
    put_nibbles<BlockMXFP4, LayoutId::MXFP4>(rows, b, record);
  }
};

template <>
struct Pack<BlockQ4_1, LayoutId::Q4_1> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    const Words<BlockQ4_1, 5> words(rows, b, 0);
    put_header(*words.at(0), record, 0);
    std::memcpy(vector_at<LayoutId::Q4_1>(record, 0, 0), words.at(1), 4 * sizeof(Column));
  }
};

template <>
struct Pack<BlockQ5_0, LayoutId::Q5_0> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    put_scale<BlockQ5_0>(rows, b, record);
    put_nibbles<BlockQ5_0, LayoutId::Q5_0>(rows, b, record);
    put_fifth_bits<BlockQ5_0, LayoutId::Q5_0>(rows, b, record);
  }
};

template <>
struct Pack<BlockQ5_1, LayoutId::Q5_1> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    put_header(*Words<BlockQ5_1, 1>(rows, b, 0).at(0), record, 0);
    put_nibbles<BlockQ5_1, LayoutId::Q5_1>(rows, b, record);
    put_fifth_bits<BlockQ5_1, LayoutId::Q5_1>(rows, b, record);
  }
};

template <>
struct Pack<BlockQ8_0, LayoutId::Q8_0> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    put_scale<BlockQ8_0>(rows, b, record);
    const Words<BlockQ8_0, 8> words(rows, b, offsetof(BlockQ8_0, qs));
    for (int t = 0; t < 8; ++t)  // plus 128
      put(vector_at<LayoutId::Q8_0>(record, 0, t), [&](size_t r) { return words.at(t)->of[r] ^ 0x80808080; });
  }
};

template <>
struct Pack<BlockIQ4_XS, LayoutId::IQ4_XS> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::IQ4_XS;
    const Words<BlockIQ4_XS, 34> words(rows, b, 0);  // d and high bits of scales, low bits, levels
    put<uint16_t>(record, [&](size_t r) { return words.at(0)->of[r]; });
    for (int g = 0; g < 8; ++g) {
      put<uint8_t>(scales_at<kId>(record, g), [&](size_t r) {
        const uint32_t high = words.at(0)->of[r] >> (16 + 2 * g) & 3;
        return (words.at(1)->of[r] >> (4 * g) & 15) + (high << 4) - 32;
      });
      std::memcpy(vector_at<kId>(record, g, 0), words.at(2 + 4 * g), 4 * sizeof(Column));
    }
  }
};

template <>
struct Pack<BlockQ2_K, LayoutId::Q2_K> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::Q2_K;
    const Words<BlockQ2_K, 21> words(rows, b, 0);  // scales and minima, levels, d and dmin
    put_header(*words.at(20), record, kSign);
    for (int g = 0; g < 16; ++g) {
      const Column* qs = words.at(4 + g / 8 * 8 + g % 2 * 4);
      const int shift = g % 8 / 2 * 2;
      put_bytes(*words.at(g / 4), g % 4, scales_at<kId>(record, g));
      put_pairs(qs, shift, vector_at<kId>(record, g, 0));
    }
  }
};

template <>
struct Pack<BlockQ3_K, LayoutId::Q3_K> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::Q3_K;
    const Words<BlockQ3_K, 27> words(rows, b, 0);  // high bits, low pairs, scales
    put_scale<BlockQ3_K>(rows, b, record);
    const Column* scales = words.at(24);
    for (int g = 0; g < 16; ++g) {  // see unpack_scales_q3_k()
      const Column& low = scales[g / 4 % 2];
      put<uint8_t>(scales_at<kId>(record, g / 2) + g % 2 * kStripRows, [&](size_t r) {
        const uint32_t nibble = low.of[r] >> (8 * (g % 4) + g / 8 * 4) & 15;
        const uint32_t pair = scales[2].of[r] >> (8 * (g % 4) + g / 4 * 2) & 3;
        return (nibble | pair << 4) - 32;
      });
    }
    for (int u = 0; u < 8; ++u) {
      for (int t = 0; t < 2; ++t) put_pairs(words.at(8 + u / 4 * 8 + 4 * t), u % 4 * 2, vector_at<kId>(record, u, t));
      put(vector_at<kId>(record, u, 2), [&](size_t r) {
        uint32_t plane = 0;
        for (int j = 0; j < 8; ++j) plane |= (words.at(j)->of[r] >> u & kOnes) << j;
        return plane;
      });
    }
  }
};

template <>
struct Pack<BlockQ4_K, LayoutId::Q4_K> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    const Words<BlockQ4_K, 36> words(rows, b, 0);
    put_scales_k4<LayoutId::Q4_K>(words.at(0), record);
    put_levels_k4<LayoutId::Q4_K>(words.at(4), record);
  }
};

template <>
struct Pack<BlockQ5_K, LayoutId::Q5_K> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    const Words<BlockQ5_K, 44> words(rows, b, 0);
    put_scales_k4<LayoutId::Q5_K>(words.at(0), record);
    put_levels_k4<LayoutId::Q5_K>(words.at(12), record);
    const Column* fifth = words.at(4);
    for (int g = 0; g < 8; ++g)
      put(vector_at<LayoutId::Q5_K>(record, g, 4), [&](size_t r) {
        uint32_t plane = 0;
        for (int j = 0; j < 8; ++j) plane |= (fifth[j].of[r] >> g & kOnes) << j;
        return plane;
      });
  }
};

template <>
struct Pack<BlockQ6_K, LayoutId::Q6_K> {
  static void block(const std::byte* const* rows, int64_t b, std::byte* record) {
    constexpr LayoutId kId = LayoutId::Q6_K;
    const Words<BlockQ6_K, 52> words(rows, b, 0);  // low nibbles, high pairs, scales
    put_scale<BlockQ6_K>(rows, b, record);
    for (int g = 0; g < 16; ++g) {  // of 16 elements; eight groups in each half
      const Column* low = words.at(g / 8 * 16 + g % 4 * 4);
      const Column* high = words.at(32 + g / 8 * 8 + g % 2 * 4);
      const int low_shift = g % 8 < 4 ? 0 : 4;
      const int high_shift = g % 8 / 2 * 2;
      put_bytes(*words.at(48 + g / 4), g % 4, scales_at<kId>(record, g));
      for (int t = 0; t < 2; ++t)
        put(vector_at<kId>(record, g, t), [&](size_t r) {
          return (low[t].of[r] >> low_shift & kNibbles) | (low[t + 2].of[r] >> low_shift & kNibbles) << 4;
        });
      put_pairs(high, high_shift, vector_at<kId>(record, g, 2));
    }
  }
};

namespace {

constexpr std::array kPackers = {
    packer<BlockQ4_0, LayoutId::Q4_0>(DType::Q4_0),       packer<BlockQ4_1, LayoutId::Q4_1>(DType::Q4_1),
    packer<BlockQ5_0, LayoutId::Q5_0>(DType::Q5_0),       packer<BlockQ5_1, LayoutId::Q5_1>(DType::Q5_1),
    packer<BlockQ8_0, LayoutId::Q8_0>(DType::Q8_0),       packer<BlockQ2_K, LayoutId::Q2_K>(DType::Q2_K),
    packer<BlockQ3_K, LayoutId::Q3_K>(DType::Q3_K),       packer<BlockQ4_K, LayoutId::Q4_K>(DType::Q4_K),
    packer<BlockQ5_K, LayoutId::Q5_K>(DType::Q5_K),       packer<BlockQ6_K, LayoutId::Q6_K>(DType::Q6_K),
    packer<BlockIQ4_NL, LayoutId::IQ4_NL>(DType::IQ4_NL), packer<BlockIQ4_XS, LayoutId::IQ4_XS>(DType::IQ4_XS),
    packer<BlockMXFP4, LayoutId::MXFP4>(DType::MXFP4),
};

const Packer* find(DType dtype) {
  for (const std::span<const Packer> packers : {std::span<const Packer>(kPackers), integer_packers(), grid_packers()}) {
    const auto found = std::ranges::find(packers, dtype, &Packer::dtype);
    if (found != packers.end()) return &*found;
  }
  return nullptr;
}

}  // namespace

std::optional<LayoutId> layout_of(DType dtype) {
  const Packer* packer = find(dtype);
  if (packer == nullptr) return std::nullopt;
  return packer->layout;
}

BlockLayout block_layout(DType dtype, int64_t k) {
  const BlockLayout& layout = kernels::layout(layout_of(dtype).value());
  if (layout.groups != kAnyGroups) return layout;
  const int64_t elements =
      layout.scale == ScaleKind::Minifloats ? std::gcd(k, kMostElements) : info(dtype).block_elements;
  return layout.with_groups(static_cast<int>(elements / layout.group));
}

StripPacker strip_packer(DType dtype) {
  const Packer* packer = find(dtype);
  CHECK(packer != nullptr);
  return packer->pack;
}

}  // namespace cleave::kernels
