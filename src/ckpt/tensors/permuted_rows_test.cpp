#include "ckpt/tensors/permuted_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cleave::ckpt {
namespace {

using ::testing::ElementsAre;

std::vector<float> read(const Tensor& tensor, int64_t element, size_t count) {
  std::vector<float> numbers(count);
  read_elements(tensor, element, std::as_writable_bytes(std::span(numbers)));
  return numbers;
}

TEST(PermutedRows, ReadsRowsPartsOfThemAndSeveralInTheNewOrder) {
  const std::vector<float> stored = {0, 1, 2, 10, 11, 12, 20, 21, 22};
  const Tensor tensor = permuted_rows({DType::F32, {3, 3}, std::as_bytes(std::span(stored))}, {2, 0, 1});
  EXPECT_THAT(read(tensor, 0, 3), ElementsAre(20, 21, 22));
  EXPECT_THAT(read(tensor, 4, 1), ElementsAre(1));
  EXPECT_THAT(read(tensor, 1, 7), ElementsAre(21, 22, 0, 1, 2, 10, 11));
  EXPECT_TRUE(tensor.view.bytes.empty());
  EXPECT_EQ(tensor.parts().front().bytes.size(), 36u);
}

TEST(PermutedRows, TheRowsOfAVectorAreItsElements) {
  const std::vector<float> stored = {0, 1, 2, 3};
  const Tensor tensor = permuted_rows({DType::F32, {4}, std::as_bytes(std::span(stored))}, {0, 2, 1, 3});
  EXPECT_THAT(read(tensor, 0, 4), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(read(tensor, 1, 2), ElementsAre(2, 1));
}

TEST(PermutedRows, BlocksStayWhole) {
  std::vector<std::byte> stored(4 * 34);
  for (size_t block = 0; block < 4; ++block) stored[block * 34] = static_cast<std::byte>(block);
  const Tensor tensor = permuted_rows({DType::Q8_0, {2, 64}, stored}, {1, 0});
  std::vector<std::byte> block(34);
  read_elements(tensor, 32, block);
  EXPECT_EQ(block[0], std::byte{3});
}

}  // namespace
}  // namespace cleave::ckpt
