#include "ckpt/quantized/ints.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace cleave::ckpt {
namespace {

constexpr int kWordBits = 32;

// The column of a nibble of AWQ's words, and the nibble of a column. Source: AutoAWQ's packing_utils.py.
constexpr std::array<int, 8> kAwqOrder = {0, 2, 4, 6, 1, 3, 5, 7};
constexpr std::array<int, 8> kAwqNibble = {0, 4, 1, 5, 2, 6, 3, 7};

uint32_t load_word(const std::byte* bytes) {
  uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

}  // namespace

void pack_levels(std::span<const uint8_t> values, int bits, std::byte* out) {
  uint64_t pending = 0;
  int filled = 0;
  for (const uint8_t value : values) {
    pending |= static_cast<uint64_t>(value) << filled;
    for (filled += bits; filled >= 8; filled -= 8, pending >>= 8) *out++ = static_cast<std::byte>(pending);
  }
}

void Ints::copy(int64_t row, int64_t begin, int64_t count, std::byte* out) const {
  std::array<uint8_t, 128> values;
  while (count > 0) {
    const std::span<uint8_t> some = std::span(values).first(static_cast<size_t>(std::min<int64_t>(count, 128)));
    unpack(row, begin, some);
    pack_levels(some, bits(), out);
    out += static_cast<int64_t>(some.size()) * bits() / 8;
    begin += static_cast<int64_t>(some.size());
    count -= static_cast<int64_t>(some.size());
  }
}

bool Ints::all_are(uint32_t) const {
  return false;
}

uint32_t WordInts::word(int64_t row, int64_t index) const {
  return load_word(bytes_.data() + 4 * (row * row_stride_ + index * word_stride_));
}

void WordInts::unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const {
  const uint32_t mask = (1u << bits()) - 1;
  int64_t next = begin * bits() / kWordBits;
  int filled = 0;
  uint64_t pending = 0;
  const auto take_word = [&] {
    pending |= static_cast<uint64_t>(word(row, next++)) << filled;
    filled += kWordBits;
  };
  if (const auto skip = static_cast<int>(begin * bits() % kWordBits); skip > 0) {
    take_word();
    pending >>= skip;
    filled -= skip;
  }
  for (uint8_t& value : out) {
    if (filled < bits()) take_word();
    value = static_cast<uint8_t>(pending & mask);
    pending >>= bits();
    filled -= bits();
  }
}

void WordInts::copy(int64_t row, int64_t begin, int64_t count, std::byte* out) const {
  const int64_t first = begin * bits() / kWordBits, words = count * bits() / kWordBits;
  if (word_stride_ == 1) {
    std::memcpy(out, bytes_.data() + 4 * (row * row_stride_ + first), static_cast<size_t>(4 * words));
    return;
  }
  for (int64_t w = 0; w < words; ++w, out += 4) {
    const uint32_t value = word(row, first + w);
    std::memcpy(out, &value, sizeof value);
  }
}

bool WordInts::all_are(uint32_t value) const {
  // Streams recur after `bits` words; every row begins one, and holds whole ones where bits do not divide a word.
  std::vector<uint8_t> values(kWordBits, static_cast<uint8_t>(value));
  std::vector<std::byte> pattern(static_cast<size_t>(4 * bits()));
  pack_levels(values, bits(), pattern.data());
  const int64_t words = static_cast<int64_t>(bytes_.size()) / 4;
  for (int64_t w = 0; w < words; ++w) {
    const int64_t in_row = word_stride_ == 1 ? w % row_stride_ : w / word_stride_;
    if (load_word(bytes_.data() + 4 * w) != load_word(pattern.data() + 4 * (in_row % bits()))) return false;
  }
  return true;
}

uint8_t AwqInts::nibble(int64_t stored_row, int64_t stored_column) const {
  const uint32_t word = load_word(bytes_.data() + 4 * (stored_row * words_ + stored_column / 8));
  return static_cast<uint8_t>(word >> (4 * kAwqNibble[static_cast<size_t>(stored_column % 8)]) & 15);
}

void AwqInts::unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const {
  static_assert(kAwqOrder[kAwqNibble[5]] == 5 && kAwqOrder[kAwqNibble[6]] == 6);
  for (uint8_t& value : out) {
    value = transposed_ ? nibble(begin, row) : nibble(row, begin);
    ++begin;
  }
}

bool AwqInts::all_are(uint32_t value) const {
  for (size_t i = 0; i + 4 <= bytes_.size(); i += 4)
    if (load_word(bytes_.data() + i) != value * 0x11111111u) return false;
  return true;
}

void SignedBytes::unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const {
  const std::byte* stored = bytes_.data() + row * columns_ + begin;
  for (uint8_t& value : out) value = static_cast<uint8_t>(static_cast<uint8_t>(*stored++) ^ 0x80u);
}

bool SignedBytes::all_are(uint32_t value) const {
  return std::ranges::all_of(bytes_, [&](std::byte byte) { return (static_cast<uint32_t>(byte) ^ 0x80u) == value; });
}

void HqqInts::unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const {
  const int64_t words = static_cast<int64_t>(bytes_.size() / word_bytes_);  // of each range
  int64_t index = row * columns_ + begin;
  for (uint8_t& value : out) {
    uint32_t word = 0;
    std::memcpy(&word, bytes_.data() + static_cast<size_t>(index % words) * word_bytes_, word_bytes_);
    const auto range = static_cast<int>(index / words);
    value = static_cast<uint8_t>(word >> (bits() * (parts_ - 1 - range)) & ((1u << bits()) - 1));
    ++index;
  }
}

}  // namespace cleave::ckpt
