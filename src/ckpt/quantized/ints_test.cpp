#include "ckpt/quantized/ints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

namespace cleave::ckpt {
namespace {

using ::testing::ElementsAre;

// A stream of `bits` bits of 0, 1, 2, ... in words.
std::vector<std::byte> stream(int count, int bits) {
  std::vector<std::byte> bytes(static_cast<size_t>((count * bits + 31) / 32 * 4));
  for (int i = 0; i < count; ++i)
    for (int b = 0; b < bits; ++b)
      if ((i & ((1 << bits) - 1)) >> b & 1)
        bytes[static_cast<size_t>((i * bits + b) / 8)] |= std::byte{1} << (i * bits + b) % 8;
  return bytes;
}

std::vector<uint8_t> unpacked(const Ints& ints, int64_t row, int64_t begin, size_t count) {
  std::vector<uint8_t> values(count);
  ints.unpack(row, begin, values);
  return values;
}

TEST(Ints, ValuesOfEveryWidthMayLieInTwoWords) {
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    const std::vector<std::byte> bytes = stream(64, bits);
    const WordInts ints(bytes, bits, 2 * bits, 1);
    for (const int begin : {0, 1, 7, 10, 31, 33})
      for (int i = 0; i < 8; ++i)
        EXPECT_EQ(unpacked(ints, 0, begin, 8)[static_cast<size_t>(i)], (begin + i) % (1 << bits)) << bits << " bits";
    std::vector<std::byte> copy(static_cast<size_t>(4 * bits));
    ints.copy(0, 32, 32, copy.data());
    EXPECT_EQ(std::memcmp(copy.data(), bytes.data() + 4 * bits, copy.size()), 0);
  }
}

TEST(Ints, ColumnsOfWordsAreRowsByAnotherStride) {
  const std::vector<uint32_t> words = {0x76543210, 0xfedcba98, 0x11111111, 0x22222222};  // two rows of two
  const WordInts columns(std::as_bytes(std::span(words)), 4, 1, 2);
  EXPECT_THAT(unpacked(columns, 0, 6, 4), ElementsAre(6, 7, 1, 1));
  EXPECT_THAT(unpacked(columns, 1, 7, 2), ElementsAre(15, 2));
}

TEST(Ints, AwqsWordsHoldNeighbouringColumnsInItsOrder) {
  // Nibble n holds column [0, 2, 4, 6, 1, 3, 5, 7][n]: here each column's own number.
  const std::vector<uint32_t> words = {0x75316420};
  EXPECT_THAT(unpacked(AwqInts(std::as_bytes(std::span(words)), 8, false), 0, 0, 8),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(AwqInts(std::as_bytes(std::span(words)), 8, true).at(5, 0), 5u);
}

TEST(Ints, HqqsFirstRangeIsInTheHighestBits) {
  const std::vector<uint8_t> bytes = {0x1a, 0x2b};
  EXPECT_THAT(unpacked(HqqInts(std::as_bytes(std::span(bytes)), 4, 2, 1, 4), 0, 0, 4), ElementsAre(1, 2, 10, 11));
}

TEST(Ints, KnowsWhetherAllAreTheSame) {
  for (const int bits : {2, 3, 4, 8}) {
    std::vector<std::byte> bytes(static_cast<size_t>(8 * bits));
    for (size_t i = 0; i < bytes.size(); ++i) {  // all ones but the lowest bit: 2^bits - 2
      unsigned byte = 0;
      for (size_t b = 0; b < 8; ++b) byte |= ((i * 8 + b) % static_cast<size_t>(bits) != 0 ? 1u : 0u) << b;
      bytes[i] = static_cast<std::byte>(byte);
    }
    const WordInts ints(bytes, bits, 2 * bits, 1);
    EXPECT_TRUE(ints.all_are((1u << bits) - 2)) << bits << " bits";
    EXPECT_FALSE(ints.all_are(0));
    bytes.back() = std::byte{0};
    EXPECT_FALSE(ints.all_are((1u << bits) - 2));
  }
}

TEST(Ints, SignedBytesBecomeUnsignedOnes) {
  const std::vector<int8_t> bytes = {-128, 0, 127};
  EXPECT_THAT(unpacked(SignedBytes(std::as_bytes(std::span(bytes)), 3), 0, 0, 3), ElementsAre(0, 128, 255));
}

}  // namespace
}  // namespace cleave::ckpt
