#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/transpose.h"
#include "kernels/layout/block_layout.h"
#include "kernels/matrix/block_pack.h"
#include "tensor/dtype.h"

// What the packers of block types share. The 32-bit words of one block of each row of a strip are transposed first. A
// word then stands beside the same word of the other rows, as levels do in the layout, and masks, shifts and joins are
// loops over rows, which the compiler turns into vectors.
namespace cleave::kernels {

inline constexpr uint16_t kSign = 0x8000;
inline constexpr uint32_t kNibbles = 0x0f0f0f0f;
inline constexpr uint32_t kPairs = 0x03030303;
inline constexpr uint32_t kOnes = 0x01010101;

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

// A vector of bit pairs: pair i is the one at `shift` in the bytes of words[i].
inline void put_pairs(const Column* words, int shift, std::byte* out) {
  put(out, [&](size_t r) {
    return (words[0].of[r] >> shift & kPairs) | (words[1].of[r] >> shift & kPairs) << 2 |
           (words[2].of[r] >> shift & kPairs) << 4 | (words[3].of[r] >> shift & kPairs) << 6;
  });
}

// Where vector `vector` of unit u lies in a record, and the scales of unit u.
template <LayoutId kId>
inline std::byte* vector_at(std::byte* record, int u, int vector) {
  constexpr BlockLayout kLayout = layout(kId);
  return record + kLayout.header_bytes() + u * kLayout.unit_bytes() + kLayout.scale_bytes() + vector * 64;
}
template <LayoutId kId>
inline std::byte* scales_at(std::byte* record, int u) {
  return vector_at<kId>(record, u, 0) - layout(kId).scale_bytes();
}

template <class Block>
inline const Block& block_of(const std::byte* const* rows, size_t row, int64_t block) {
  return reinterpret_cast<const Block*>(rows[row])[block];  // packed and of bytes: no alignment needed
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

// Types of 32 elements with a scale and no minimum.
template <class Block>
inline void put_scale(const std::byte* const* rows, int64_t b, std::byte* record) {
  put<uint16_t>(record, [&](size_t r) { return block_of<Block>(rows, r, b).d.bits; });
}

// Functions that write one block of every row into a record, named by block type.
template <class Block, LayoutId kId>
struct Pack;

template <class Block, LayoutId kId>
void pack_strip(const std::byte* const* rows, int64_t k, const BlockLayout& layout, std::byte* strip) {
  for (int64_t b = 0; b < k / layout.elements(); ++b, strip += layout.record_bytes())
    Pack<Block, kId>::block(rows, b, strip);
}

/// The packer of a block type.
struct Packer {
  DType dtype;
  LayoutId layout;
  StripPacker pack;
};

template <class Block, LayoutId kId>
constexpr Packer packer(DType dtype) {
  return {dtype, kId, pack_strip<Block, kId>};
}

}  // namespace cleave::kernels
