// Products in one form (Form): the number of rows that are multiplied together changes no bit.
#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"
#include "kernels/simd/isa.h"
#include "kernels/testing/matrices.h"
#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

constexpr int64_t kRows = 67;

// Some of which stand out of their group.
std::vector<float> activations(int64_t k) {
  auto x = random_floats(kRows * k, 16);
  for (size_t i = 0; i < x.size(); i += 700) x[i] = 100;
  return x;
}

class FormOn : public testing::TestWithParam<Isa> {
 protected:
  // Rows [first, first + count) by themselves equal those among `together`.
  void expect_same(const Matrix& matrix, const std::vector<float>& x, int64_t first, int64_t count, Form form,
                   const std::vector<float>& together) {
    const std::vector<float> rows = {x.begin() + first * matrix.k(), x.begin() + (first + count) * matrix.k()};
    const auto alone = multiply(matrix, rows, count, pool_, form);
    EXPECT_EQ(std::memcmp(alone.data(), together.data() + first * matrix.n(), alone.size() * sizeof(float)), 0)
        << matrix.kind() << ", " << count << " rows from " << first << " like " << form.like;
  }

  // In every form, as in the steps of an engine that is loaded for so many answers.
  void expect_same_in_all_forms(const Stored& stored, const PackOptions& options) {
    const auto matrix = stored.pack(options, pool_);
    const auto x = activations(stored.k);
    for (const int64_t like : {1, 8, 20, 64}) {
      const auto together = multiply(*matrix, x, kRows, pool_, {like});
      for (const auto& [first, count] : {std::pair{13, 1}, {0, 2}, {20, 3}, {5, 4}, {20, 17}, {3, 64}})
        expect_same(*matrix, x, first, count, {like}, together);
    }
  }

  ThreadPool pool_{3};
};

TEST_P(FormOn, RowsOfBlocksDoNotDependOnTheirNumber) {
  for (const DType dtype : kBlockTypes) {
    const Stored stored = random_blocks(dtype, 37, 256, 15);
    for (const bool expert : {false, true}) expect_same_in_all_forms(stored, {.isa = GetParam(), .expert = expert});
  }
  // Some of the layouts have long groups only where a row is made of them.
  for (const DType dtype : {DType::INT4_G128, DType::UINT4_G128, DType::INT8_G128, DType::UINT2_G128})
    expect_same_in_all_forms(random_blocks(dtype, 37, 384, 15), {.isa = GetParam()});
  for (const DType dtype : {DType::Q4_0, DType::Q5_K, DType::IQ2_XS, DType::NVFP4})
    expect_same_in_all_forms(random_blocks(dtype, 37, 1280, 15), {.isa = GetParam()});
  // Too small to be unpacked for any number of rows of a form.
  expect_same_in_all_forms(random_blocks(DType::Q4_0, 5, 256, 15), {.isa = GetParam()});
}

TEST_P(FormOn, RowsOfFloatsDoNotDependOnTheirNumber) {
  for (const DType dtype : {DType::BF16, DType::F32}) {
    expect_same_in_all_forms(random_weights(dtype, 150, 333, 14), {.isa = GetParam()});
    expect_same_in_all_forms(random_weights(dtype, 20, 33, 14), {.isa = GetParam()});  // too small to be rounded
  }
  expect_same_in_all_forms(random_blocks(DType::FP8_G128, 150, 384, 14), {.isa = GetParam()});
  for (const WeightFormat format : {WeightFormat::Int8, WeightFormat::Int4})
    expect_same_in_all_forms(random_weights(DType::BF16, 150, 352, 14), {.format = format, .isa = GetParam()});
  expect_same_in_all_forms(random_weights(DType::BF16, 50, 333, 14), {.exact = true, .isa = GetParam()});
  expect_same_in_all_forms(random_blocks(DType::Q4_K, 50, 512, 14), {.exact = true, .isa = GetParam()});
}

TEST_P(FormOn, IsThatOfAsManyRows) {
  for (const Stored& stored : {random_blocks(DType::Q4_K, 150, 512, 15), random_weights(DType::BF16, 150, 333, 14)}) {
    const auto matrix = stored.pack({.isa = GetParam()}, pool_);
    const auto x = activations(stored.k);
    expect_same(*matrix, x, 5, 1, {}, multiply(*matrix, x, kRows, pool_, {1}));
    expect_same(*matrix, x, 0, kRows, {}, multiply(*matrix, x, kRows, pool_, {kManyRows}));
    expect_same(*matrix, x, 0, 40, {}, multiply(*matrix, x, kRows, pool_, form_of(RowKind::ShortPrompt)));
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, FormOn, testing::ValuesIn(available_isas()));

}  // namespace
}  // namespace cleave::kernels
