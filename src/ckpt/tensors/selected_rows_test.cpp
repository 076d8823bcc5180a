#include "ckpt/tensors/selected_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ckpt/tensors/computed_tensors.h"

namespace cleave::ckpt {
namespace {

using ::testing::ElementsAre;

Tensor stored(const std::vector<float>& numbers, Shape shape) {
  return {{DType::F32, std::move(shape), std::as_bytes(std::span(numbers))}};
}

std::vector<float> read(const Tensor& tensor, int64_t element, size_t count) {
  std::vector<float> numbers(count);
  read_elements(tensor, element, std::as_writable_bytes(std::span(numbers)));
  return numbers;
}

TEST(SelectedRows, ReadsRowsPartsOfThemAndSeveralInTheNewOrder) {
  const std::vector<float> numbers = {0, 1, 2, 10, 11, 12, 20, 21, 22};
  const Tensor tensor = selected_rows({stored(numbers, {3, 3})}, 3, {2, 0, 1}, {3, 3});
  EXPECT_THAT(read(tensor, 0, 3), ElementsAre(20, 21, 22));
  EXPECT_THAT(read(tensor, 1, 4), ElementsAre(21, 22, 0, 1));
  EXPECT_EQ(tensor.dtype(), DType::F32);
  EXPECT_EQ(tensor.parts().size(), 1u);
}

TEST(SelectedRows, JoinsSourcesAndReadsTypesThatDifferAsF32) {
  const std::vector<float> numbers = {0, 1, 10, 11};
  const std::vector<uint16_t> halves = {0x4000, 0x4040};  // bf16 2 and 3
  const Tensor other = {{DType::BF16, {1, 2}, std::as_bytes(std::span(halves))}};
  const Tensor tensor = selected_rows({stored(numbers, {2, 2}), other}, 2, {2, 0, 1}, {3, 2});
  EXPECT_EQ(tensor.dtype(), DType::F32);
  EXPECT_THAT(read(tensor, 0, 6), ElementsAre(2, 3, 0, 1, 10, 11));
  EXPECT_EQ(selected_rows({other}, 2, {0}, {1, 2}).dtype(), DType::BF16);
}

TEST(ComputedTensors, TransposeTheLastTwoDimensions) {
  const std::vector<float> numbers = {0, 1, 2, 10, 11, 12};
  const Tensor tensor = transposed(stored(numbers, {1, 2, 3}).view);
  EXPECT_EQ(tensor.view.shape, (Shape{1, 3, 2}));
  EXPECT_THAT(read(tensor, 0, 6), ElementsAre(0, 10, 1, 11, 2, 12));
}

TEST(ComputedTensors, DequantiseBlocksThatTheyTranspose) {
  std::vector<std::byte> block(34);  // Q8_0: scale 1, then 32 numbers
  block[1] = std::byte{0x3c};
  for (size_t i = 0; i < 32; ++i) block[2 + i] = static_cast<std::byte>(i);
  const Tensor tensor = transposed({DType::Q8_0, {1, 32}, block});
  EXPECT_EQ(tensor.dtype(), DType::F32);
  EXPECT_THAT(read(tensor, 30, 2), ElementsAre(30, 31));
  const Tensor cut = permuted_columns({DType::Q8_0, {1, 32}, block}, 16, {1, 0});
  EXPECT_EQ(cut.dtype(), DType::F32);
  EXPECT_THAT(read(cut, 14, 4), ElementsAre(30, 31, 0, 1));
  EXPECT_EQ(permuted_columns({DType::Q8_0, {1, 32}, block}, 32, {0}).dtype(), DType::Q8_0);
}

TEST(ComputedTensors, ApplyAFunctionToEveryNumber) {
  const std::vector<float> numbers = {1, 4, 9};
  const Tensor tensor = applied(stored(numbers, {3}), [](double x) { return std::sqrt(x); });
  EXPECT_THAT(read(tensor, 1, 2), ElementsAre(2, 3));
}

}  // namespace
}  // namespace cleave::ckpt
