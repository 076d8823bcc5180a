#include "ckpt/tensors/scaled_blocks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

// Two rows of 128 elements of NVFP4: bytes that count, with scales of E4M3 that are numbers.
std::vector<std::byte> counting_blocks() {
  std::vector<std::byte> bytes(4 * 36);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 36 < 4 ? 0x30 + i % 11 : i * 37);
  return bytes;
}

std::vector<float> numbers_of(const Tensor& tensor, int64_t element, int64_t count) {
  std::vector<std::byte> bytes(static_cast<size_t>(row_bytes(tensor.dtype(), count)));
  read_elements(tensor, element, bytes);
  std::vector<float> numbers(static_cast<size_t>(count));
  convert_to_f32(tensor.dtype(), bytes, numbers);
  return numbers;
}

TEST(ScaledBlocks, MultiplyEachRowByItsFactor) {
  const auto bytes = counting_blocks();
  const Tensor stored = {{DType::NVFP4, {2, 128}, bytes}};
  const Tensor scaled = scaled_blocks(stored, {0.5f, 3});
  EXPECT_EQ(scaled.dtype(), DType::NVFP4_G16);
  for (const int64_t row : {0, 1}) {
    const auto plain = numbers_of(stored, row * 128, 128), got = numbers_of(scaled, row * 128, 128);
    for (size_t i = 0; i < 128; ++i) EXPECT_EQ(got[i], plain[i] * (row == 0 ? 0.5f : 3)) << row << " " << i;
    const auto part = numbers_of(scaled, row * 128 + 48, 32);  // from inside one block into the next
    for (size_t i = 0; i < 32; ++i) EXPECT_EQ(part[i], got[48 + i]);
  }
}

TEST(ScaledBlocks, OfOtherTypesBecomeNumbers) {
  const float numbers[] = {1, -2, 3, 4};
  const Tensor scaled = scaled_blocks({{DType::F32, {2, 2}, std::as_bytes(std::span(numbers))}}, {2});
  EXPECT_EQ(scaled.dtype(), DType::F32);
  EXPECT_EQ(numbers_of(scaled, 0, 2), (std::vector<float>{2, -4}));
  EXPECT_EQ(numbers_of(scaled, 2, 2), (std::vector<float>{6, 8}));
}

}  // namespace
}  // namespace cleave::ckpt
