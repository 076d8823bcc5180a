#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cleave::ckpt {

/// A matrix of small unsigned integers, in whatever order a format packs them. Borrows the stored bytes. Thread-safe.
/// Members do not check indices.
class Ints {
 public:
  explicit Ints(int bits) : bits_(bits) {}
  virtual ~Ints() = default;
  int bits() const { return bits_; }

  /// Integers `begin`, begin + 1, ... of a row, one in a byte.
  virtual void unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const = 0;

  /// The same as a little-endian bit stream of bits() each. REQUIRES: begin and count are multiples of 32.
  virtual void copy(int64_t row, int64_t begin, int64_t count, std::byte* out) const;

  /// Whether all integers of the stored tensor are known to be this one.
  virtual bool all_are(uint32_t value) const;

  uint32_t at(int64_t row, int64_t index) const {
    uint8_t value = 0;
    unpack(row, index, {&value, 1});
    return value;
  }

 private:
  int bits_;
};

/// Writes integers as a little-endian bit stream of `bits` each. REQUIRES: they fill whole bytes.
void pack_levels(std::span<const uint8_t> values, int bits, std::byte* out);

/// Rows that are little-endian bit streams of 32-bit words: word w of row r is word r * row_stride + w * word_stride of
/// the tensor. GPTQ, AutoRound, AWQ (gemv), compressed-tensors and MLX pack in that way, along the one dimension or the
/// other.
class WordInts final : public Ints {
 public:
  WordInts(std::span<const std::byte> bytes, int bits, int64_t row_stride, int64_t word_stride)
      : Ints(bits), bytes_(bytes), row_stride_(row_stride), word_stride_(word_stride) {}
  void unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const override;
  void copy(int64_t row, int64_t begin, int64_t count, std::byte* out) const override;
  bool all_are(uint32_t value) const override;

 private:
  uint32_t word(int64_t row, int64_t index) const;

  std::span<const std::byte> bytes_;
  int64_t row_stride_, word_stride_;  // in words
};

/// AWQ's words of eight 4-bit integers of neighbouring columns: nibble n is column 8 * word + kAwqOrder[n]. In the file
/// [rows][columns / 8]; `transposed` swaps what is a row here.
class AwqInts final : public Ints {
 public:
  AwqInts(std::span<const std::byte> bytes, int64_t stored_columns, bool transposed)
      : Ints(4), bytes_(bytes), words_(stored_columns / 8), transposed_(transposed) {}
  void unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const override;
  bool all_are(uint32_t value) const override;

 private:
  uint8_t nibble(int64_t stored_row, int64_t stored_column) const;

  std::span<const std::byte> bytes_;
  int64_t words_;  // of a stored row
  bool transposed_;
};

/// Signed bytes, as unsigned ones: 128 more.
class SignedBytes final : public Ints {
 public:
  SignedBytes(std::span<const std::byte> bytes, int64_t columns) : Ints(8), bytes_(bytes), columns_(columns) {}
  void unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const override;
  bool all_are(uint32_t value) const override;

 private:
  std::span<const std::byte> bytes_;
  int64_t columns_;
};

/// HQQ's order: a stored element of `word_bytes` holds one integer of each of `parts` ranges of rows, the first in its
/// highest used bits. Rows here are `columns` consecutive integers of the ranges, one behind the other.
class HqqInts final : public Ints {
 public:
  HqqInts(std::span<const std::byte> bytes, int bits, int parts, size_t word_bytes, int64_t columns)
      : Ints(bits), bytes_(bytes), parts_(parts), word_bytes_(word_bytes), columns_(columns) {}
  void unpack(int64_t row, int64_t begin, std::span<uint8_t> out) const override;

 private:
  std::span<const std::byte> bytes_;
  int parts_;
  size_t word_bytes_;
  int64_t columns_;
};

}  // namespace cleave::ckpt
