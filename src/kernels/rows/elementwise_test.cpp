#include "kernels/rows/elementwise.h"

#include <gtest/gtest.h>

#include <limits>

#include "kernels/reference/reference.h"
#include "kernels/rows/softmax.h"
#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

class Elementwise : public testing::TestWithParam<Isa> {
 protected:
  ThreadPool pool_{3};
};

constexpr UnaryKind kKinds[] = {UnaryKind::Silu,    UnaryKind::Gelu,  UnaryKind::GeluTanh,
                                UnaryKind::Relu,    UnaryKind::Relu2, UnaryKind::Tanh,
                                UnaryKind::Sigmoid, UnaryKind::Exp,   UnaryKind::Softplus};

TEST_P(Elementwise, UnaryMatchesReferenceOverTheWholeRange) {
  std::vector<float> x;
  for (float v = -100; v <= 88; v += 0.01f) x.push_back(v);
  for (float v = 1e-8f; v < 1; v *= 1.5f) x.insert(x.end(), {v, -v});
  x.push_back(0);
  std::vector<float> y(x.size());
  for (const UnaryKind kind : kKinds) {
    unary(kind, x.data(), static_cast<int64_t>(x.size()), y.data(), pool_, GetParam());
    for (size_t i = 0; i < x.size(); ++i) {
      const float wanted = reference::unary(kind, x[i]);
      const float tolerance =
          1e-6f * std::max(1.0f, std::fabs(wanted)) + (kind == UnaryKind::Exp ? 0 : 4e-7f * std::fabs(x[i]));
      ASSERT_NEAR(y[i], wanted, tolerance) << to_string(kind) << " of " << x[i];
    }
  }
}

TEST_P(Elementwise, LogFloorAndSqrtMatchReferenceOnPositiveNumbers) {
  std::vector<float> x;
  for (float v = 1e-6f; v < 1e6f; v *= 1.01f) x.push_back(v);
  std::vector<float> y(x.size());
  for (const UnaryKind kind : {UnaryKind::Log, UnaryKind::Floor, UnaryKind::Sqrt}) {
    unary(kind, x.data(), static_cast<int64_t>(x.size()), y.data(), pool_, GetParam());
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_FLOAT_EQ(y[i], reference::unary(kind, x[i])) << to_string(kind) << " of " << x[i];
  }
}

TEST_P(Elementwise, ExponentialsHandleInfinities) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {-inf, -1000, -88, 89, 1000, inf};
  std::vector<float> y(x.size());
  unary(UnaryKind::Exp, x.data(), 6, y.data(), pool_, GetParam());
  EXPECT_EQ(y, (std::vector<float>{0, 0, 0, inf, inf, inf}));
  unary(UnaryKind::Sigmoid, x.data(), 6, y.data(), pool_, GetParam());
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[5], 1);
  unary(UnaryKind::Tanh, x.data(), 6, y.data(), pool_, GetParam());
  EXPECT_EQ(y[0], -1);
  EXPECT_EQ(y[5], 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const UnaryKind kind : {UnaryKind::Silu, UnaryKind::Exp, UnaryKind::GeluTanh, UnaryKind::Relu}) {
    unary(kind, &nan, 1, y.data(), pool_, GetParam());
    EXPECT_TRUE(std::isnan(y[0])) << to_string(kind);
  }
}

TEST_P(Elementwise, BinaryFunctionsMatchLoopsOfAllLengths) {
  for (const int64_t count : {1, 2, 15, 16, 17, 31, 33, 1000, 20001}) {
    const auto a = random_floats(count + 1, 1);
    const auto b = random_floats(count + 1, 2);
    std::vector<float> y(static_cast<size_t>(count));
    add(a.data() + 1, b.data() + 1, count, y.data(), pool_, GetParam());
    for (int64_t i = 0; i < count; ++i) ASSERT_EQ(y[i], a[i + 1] + b[i + 1]);
    mul(a.data() + 1, b.data() + 1, count, y.data(), pool_, GetParam());
    for (int64_t i = 0; i < count; ++i) ASSERT_EQ(y[i], a[i + 1] * b[i + 1]);
    scale(a.data() + 1, 0.37f, count, y.data(), pool_, GetParam());
    for (int64_t i = 0; i < count; ++i) ASSERT_EQ(y[i], a[i + 1] * 0.37f);
    gate(UnaryKind::Relu, a.data() + 1, b.data() + 1, count, y.data(), pool_, GetParam());
    for (int64_t i = 0; i < count; ++i) ASSERT_EQ(y[i], (a[i + 1] > 0 ? a[i + 1] : 0) * b[i + 1]);
  }
}

TEST_P(Elementwise, VectorsAreBroadcastOverRowsAndColumns) {
  const int64_t rows = 500, n = 37;
  const auto x = random_floats(rows * n, 1);
  const auto row = random_floats(n, 2);
  const auto column = random_floats(rows, 3);
  std::vector<float> sum(x.size()), product(x.size()), scaled(x.size());
  add_row(x.data(), row.data(), rows, n, sum.data(), pool_, GetParam());
  mul_row(x.data(), row.data(), rows, n, product.data(), pool_, GetParam());
  mul_column(x.data(), column.data(), rows, n, scaled.data(), pool_, GetParam());
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(sum[i], x[i] + row[i % n]);
    ASSERT_EQ(product[i], x[i] * row[i % n]);
    ASSERT_EQ(scaled[i], x[i] * column[i / n]);
  }
}

TEST_P(Elementwise, SoftmaxMatchesReferenceAndIgnoresMasked) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const int64_t n : {1, 2, 5, 16, 17, 100, 1000}) {
    auto x = random_floats(7 * n, 4, 20);
    for (size_t i = 0; i < x.size(); i += 3) x[i] = -inf;
    std::fill_n(x.begin(), n, -inf);
    std::vector<float> y(x.size()), wanted(x.size());
    softmax(x.data(), 7, n, y.data(), pool_, GetParam());
    reference::softmax(x.data(), 7, n, wanted.data());
    EXPECT_LT(relative_error(y, wanted), 2e-6) << n;
    for (int64_t i = 0; i < n; ++i) EXPECT_EQ(y[i], 0) << "a row of masked values";
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Elementwise, testing::ValuesIn(available_isas()));

TEST(TopK, PrefersLargerThenLowerIndexAndRanksNanLast) {
  ThreadPool pool(2);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {1, 3, 3, 2, 3, /**/ nan, -inf, nan, 0, -1};
  std::vector<int32_t> indices(8);
  std::vector<float> values(8);
  top_k(x.data(), 2, 5, 4, indices.data(), values.data(), pool);
  EXPECT_EQ(indices, (std::vector<int32_t>{1, 2, 4, 3, /**/ 3, 4, 1, 0}));
  EXPECT_EQ(values[3], 2);
  EXPECT_TRUE(std::isnan(values[7]));
}

TEST(KeepBestGroups, JudgesGroupsByTheirBestElementsAndZeroesTheOthers) {
  ThreadPool pool(2);
  const std::vector<float> x = {4, 0, 0, /**/ 3, 2, 1, /**/ 2.5f, 2, 9, /**/ 5, -5, 0,
                                0, 0, 0, /**/ 0, 0, 0, /**/ 0,    0, 1, /**/ 1, 0,  0};
  std::vector<float> y(x.size()), scores(8);
  keep_best_groups(x.data(), 2, 12, {4, 2, 2}, scores.data(), y.data(), pool);
  EXPECT_EQ(y, (std::vector<float>{0, 0, 0, 3, 2, 1, 2.5f, 2, 9, 0, 0, 0,  // sums of two: 4, 5, 11.5, 5: the first 5
                                   0, 0, 0, 0, 0, 0, 0,    0, 1, 1, 0, 0}));
  keep_best_groups(x.data(), 1, 12, {4, 2, 1}, scores.data(), y.data(), pool);
  EXPECT_EQ(std::vector<float>(y.begin(), y.begin() + 12),
            (std::vector<float>{0, 0, 0, 0, 0, 0, 2.5f, 2, 9, 5, -5, 0}));
}

}  // namespace
}  // namespace cleave::kernels
