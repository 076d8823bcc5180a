#include "kernels/matrix/block_pack.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/transpose.h"
#include "tensor/blocks.h"

// Packing of blocks. The 32-bit words of one block of each row of a strip are transposed first. A word then stands
// beside the same word of the other rows, as levels do in the layout, and masks, shifts and joins are loops over rows,
// which the compiler turns into vectors.
namespace cleave::kernels {
namespace {

constexpr uint16_t kSign = 0x8000;
constexpr uint32_t kNibbles = 0x0f0f0f0f;
constexpr uint32_t kPairs = 0x03030303;
constexpr uint32_t kOnes = 0x01010101;

// The same word of each row.
struct alignas(64) Column {
  std::array<uint32_t, kStripRows> of;
};

// Reads words of one block of each row, from byte `offset` of the block on.
template <class Block, int kWords>
struct Words {
  std::array<Column, kWords> columns;

  Words(const std::byte* const* rows, int64_t block, size_t offset) {
    std::array<const std::byte*, kStripRows> from;
    for (size_t r = 0; r < from.size(); ++r) from[r] = rows[r] + static_cast<size_t>(block) * sizeof(Block) + offset;
    transpose_32(from.data(), kStripRows, kWords, reinterpret_cast<std::byte*>(columns.data()), kStripRows);
  }
  const Column* at(int word) const { return columns.data() + word; }
};

// Writes f(row) for each row: a vector of the layout, or 16-bit numbers of a header.
template <class T = uint32_t, class F>
inline void put(std::byte* out, F f) {
  std::array<T, kStripRows> values;
  for (size_t r = 0; r < values.size(); ++r) values[r] = static_cast<T>(f(r));
  std::memcpy(out, values.data(), sizeof values);
}

// Byte number `byte` of each row's word.
inline void put_bytes(const Column& column, int byte, std::byte* out) {
  put<uint8_t>(out, [&](size_t r) { return column.of[r] >> (8 * byte); });
}

// The halves of a word that hold scale and minimum.
inline void put_header(const Column& both, std::byte* record, uint16_t minimum_sign) {
  put<uint16_t>(record, [&](size_t r) { return both.of[r]; });
  put<uint16_t>(record + kStripRows * 2, [&](size_t r) { return both.of[r] >> 16 ^ minimum_sign; });
}

// Where vector `vector` of group g lies in a record.
template <LayoutId kId>
inline std::byte* vector_at(std::byte* record, int g, int vector) {
  constexpr BlockLayout kLayout = kLayouts[static_cast<size_t>(kId)];
  return record + kLayout.header_bytes() + g * (kLayout.scale_bytes() + kLayout.level_bytes()) + kLayout.scale_bytes() +
         vector * 64;
}
template <LayoutId kId>
inline std::byte* scales_at(std::byte* record, int g) {
  return vector_at<kId>(record, g, 0) - kLayouts[static_cast<size_t>(kId)].scale_bytes();
}

template <class Block>
inline const Block& block_of(const std::byte* const* rows, size_t row, int64_t block) {
  return reinterpret_cast<const Block*>(rows[row])[block];  // packed and of bytes: no alignment needed
}

// Writes the levels of types of 32 elements with element i in the low and i + 16 in the high nibble of byte i, as they
// are: the layout has the same order.
template <class Block, LayoutId kId>
inline void put_nibbles(const std::byte* const* rows, int64_t block, std::byte* record) {
  const Words<Block, 4> words(rows, block, offsetof(Block, qs));
  std::memcpy(vector_at<kId>(record, 0, 0), words.at(0), sizeof words);
}

// Rearranges fifth bits: from bit i for element i to bit j of byte b for element 4j + b. Byte b of the result has bits
// b, b + 4, ... b + 28 of `bits`.
inline uint32_t transpose_bits(uint32_t bits) {
  uint32_t result = 0;
  for (int b = 0; b < 4; ++b) {
    uint32_t x = bits >> b & 0x11111111;
    x = (x | x >> 3) & 0x03030303;
    x = (x | x >> 6) & 0x000f000f;
    x = (x | x >> 12) & 0xff;
    result |= x << (8 * b);
  }
  return result;
}

template <class Block, LayoutId kId>
inline void put_fifth_bits(const std::byte* const* rows, int64_t block, std::byte* record) {
  const Words<Block, 1> bits(rows, block, offsetof(Block, qh));
  put(vector_at<kId>(record, 0, 4), [&](size_t r) { return transpose_bits(bits.at(0)->of[r]); });
}

// Functions that write one block of every row into a record, named by block type.
template <class Block, LayoutId kId>
struct Pack;

// Types of 32 elements with a scale and no minimum.
template <class Block>
inline void put_scale(const std::byte* const* rows, int64_t b, std::byte* record) {
  put<uint16_t>(record, [&](size_t r) { return block_of<Block>(rows, r, b).d.bits; });
}

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
      put(vector_at<kId>(record, g, 0), [&](size_t r) {
        return (qs[0].of[r] >> shift & kPairs) | (qs[1].of[r] >> shift & kPairs) << 2 |
               (qs[2].of[r] >> shift & kPairs) << 4 | (qs[3].of[r] >> shift & kPairs) << 6;
      });
    }
  }
};

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
      put(vector_at<kId>(record, g, 2), [&](size_t r) {
        return (high[0].of[r] >> high_shift & kPairs) | (high[1].of[r] >> high_shift & kPairs) << 2 |
               (high[2].of[r] >> high_shift & kPairs) << 4 | (high[3].of[r] >> high_shift & kPairs) << 6;
      });
    }
  }
};

template <class Block, LayoutId kId>
void pack_strip(const std::byte* const* rows, int64_t blocks, std::byte* strip) {
  for (int64_t b = 0; b < blocks; ++b, strip += kLayouts[static_cast<size_t>(kId)].record_bytes())
    Pack<Block, kId>::block(rows, b, strip);
}

struct Packer {
  DType dtype;
  LayoutId layout;
  StripPacker pack;
};

template <class Block, LayoutId kId>
constexpr Packer packer(DType dtype) {
  return {dtype, kId, pack_strip<Block, kId>};
}

constexpr std::array kPackers = {
    packer<BlockQ4_0, LayoutId::Q4_0>(DType::Q4_0),       packer<BlockQ4_1, LayoutId::Q4_1>(DType::Q4_1),
    packer<BlockQ5_0, LayoutId::Q5_0>(DType::Q5_0),       packer<BlockQ5_1, LayoutId::Q5_1>(DType::Q5_1),
    packer<BlockQ8_0, LayoutId::Q8_0>(DType::Q8_0),       packer<BlockQ2_K, LayoutId::Q2_K>(DType::Q2_K),
    packer<BlockQ4_K, LayoutId::Q4_K>(DType::Q4_K),       packer<BlockQ5_K, LayoutId::Q5_K>(DType::Q5_K),
    packer<BlockQ6_K, LayoutId::Q6_K>(DType::Q6_K),       packer<BlockIQ4_NL, LayoutId::IQ4_NL>(DType::IQ4_NL),
    packer<BlockIQ4_XS, LayoutId::IQ4_XS>(DType::IQ4_XS), packer<BlockMXFP4, LayoutId::MXFP4>(DType::MXFP4),
};

const Packer* find(DType dtype) {
  const auto found = std::find_if(kPackers.begin(), kPackers.end(), [=](const Packer& p) { return p.dtype == dtype; });
  return found == kPackers.end() ? nullptr : found;
}

}  // namespace

std::optional<LayoutId> layout_of(DType dtype) {
  const Packer* packer = find(dtype);
  if (packer == nullptr) return std::nullopt;
  return packer->layout;
}

StripPacker strip_packer(DType dtype) {
  const Packer* packer = find(dtype);
  CHECK(packer != nullptr);
  return packer->pack;
}

}  // namespace cleave::kernels
