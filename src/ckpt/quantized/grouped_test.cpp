#include "ckpt/quantized/grouped.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "tensor/convert.h"
#include "tensor/tensor_table.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kRows = 4, kColumns = 64, kGroup = 32;

std::span<const std::byte> bytes_of(const auto& numbers) {
  return std::as_bytes(std::span(numbers));
}

std::vector<float> row_of(const Tensor& tensor, int64_t row) {
  std::vector<std::byte> stored(static_cast<size_t>(row_bytes(tensor.dtype(), kColumns)));
  read_elements(tensor, row * kColumns, stored);
  std::vector<float> numbers(kColumns);
  convert_to_f32(tensor.dtype(), stored, numbers);
  return numbers;
}

// Levels of 4 or 3 bits that differ, and a scale for each of two groups of a row.
class SortedColumnsTest : public testing::TestWithParam<int> {
 protected:
  SortedColumnsTest() {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] = 0x9e3779b9u * static_cast<uint32_t>(i + 1);
    for (size_t i = 0; i < scales_.size(); ++i) scales_[i] = 0.25f * static_cast<float>(i + 1);
  }

  Tensor tensor(std::vector<int32_t> group_of) const {
    const int64_t words = kColumns * GetParam() / 32;
    return grouped_tensor({.name = "m",
                           .shape = {kRows, kColumns},
                           .group = kGroup,
                           .levels = std::make_shared<WordInts>(
                               bytes_of(words_).first(static_cast<size_t>(kRows * words * 4)), GetParam(), words, 1),
                           .scales = {{DType::F32, {kRows, 2}, bytes_of(scales_)}, Grid{kRows, 0, 2, 1}},
                           .offset = {},
                           .group_of = std::move(group_of)});
  }

  std::array<uint32_t, kRows * 8> words_;
  std::array<float, kRows * 2> scales_;
};

TEST_P(SortedColumnsTest, AreTheStoredOnesInTheOrderOfTheirGroups) {
  std::vector<int32_t> group_of(kColumns);
  for (size_t i = 0; i < group_of.size(); ++i) group_of[i] = i % 2 == 0 ? 1 : 0;
  const Tensor whole = tensor(group_of);
  ASSERT_TRUE(whole.sorted);
  EXPECT_EQ(whole.dtype(), DType::F32);
  EXPECT_EQ(whole.sorted->matrix.dtype(), GetParam() == 4 ? DType::INT4_G32 : DType::INT3_G32);
  const std::vector<float> order = row_of(whole.sorted->order, 0);
  EXPECT_EQ(order[0], 1);
  EXPECT_EQ(order[kGroup], 0);
  for (int64_t row = 0; row < kRows; ++row) {
    const std::vector<float> stored = row_of(whole, row), sorted = row_of(whole.sorted->matrix, row);
    for (size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], stored[static_cast<size_t>(order[i])]) << i;
  }
}

TEST_P(SortedColumnsTest, AreMissingWhereGroupsLieInOrderOrHaveOtherSizes) {
  std::vector<int32_t> group_of(kColumns);
  for (size_t i = 0; i < group_of.size(); ++i) group_of[i] = static_cast<int32_t>(i) / kGroup;
  EXPECT_FALSE(tensor(group_of).sorted);
  EXPECT_TRUE(is_block(tensor(group_of).dtype()));
  group_of.back() = 0;
  EXPECT_FALSE(tensor(group_of).sorted);
  EXPECT_EQ(tensor(group_of).dtype(), DType::F32);
}

INSTANTIATE_TEST_SUITE_P(Bits, SortedColumnsTest, testing::Values(3, 4));

TEST(AddSortedColumns, NamesThemAfterTheMatrix) {
  NamedTensors tensors;
  auto sorted = std::make_shared<SortedColumns>();
  sorted->order.view = {DType::F32, {32}, {}};
  sorted->matrix.view = {DType::INT4_G32, {1, 32}, {}};
  tensors["a.weight"].sorted = sorted;
  tensors["b.weight"];
  add_sorted_columns(tensors);
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_EQ(tensors.at("a.weight.sorted").view.dtype, DType::INT4_G32);
  EXPECT_EQ(tensors.at("a.weight.order").view.dtype, DType::F32);
}

}  // namespace
}  // namespace cleave::ckpt
