#include "kernels/rows/norm.h"

#include <gtest/gtest.h>

#include "kernels/reference/reference.h"
#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

class Norm : public testing::TestWithParam<Isa> {
 protected:
  ThreadPool pool_{3};
};

// Lengths around whole vectors, and enough rows for several threads. Pointers are off by one float.
constexpr int64_t kLengths[] = {1, 3, 4, 7, 15, 16, 17, 63, 64, 65, 200, 576};

TEST_P(Norm, RmsMatchesReference) {
  for (const int64_t n : kLengths)
    for (const int64_t rows : {1, 5, 100}) {
      const auto x = random_floats(rows * n + 1, 1, 3);
      const auto weight = random_floats(n + 1, 2);
      for (const float* w : {weight.data() + 1, static_cast<const float*>(nullptr)})
        for (const float offset : {0.0f, 1.0f}) {
          std::vector<float> y(static_cast<size_t>(rows * n + 1)), wanted(static_cast<size_t>(rows * n));
          rms_norm(x.data() + 1, w, offset, 1e-5f, rows, n, y.data() + 1, pool_, GetParam());
          reference::rms_norm(x.data() + 1, w, offset, 1e-5f, rows, n, wanted.data());
          EXPECT_LT(relative_error({y.begin() + 1, y.end()}, wanted), 5e-7) << "n " << n << " rows " << rows;
        }
    }
}

TEST_P(Norm, LayerNormMatchesReferenceAwayFromZeroMean) {
  for (const int64_t n : kLengths) {
    auto x = random_floats(9 * n + 1, 3);
    for (float& value : x) value += 10;
    const auto weight = random_floats(n, 4);
    const auto bias = random_floats(n, 5);
    for (const bool has_bias : {false, true}) {
      std::vector<float> y(static_cast<size_t>(9 * n)), wanted(y);
      const float* b = has_bias ? bias.data() : nullptr;
      layer_norm(x.data() + 1, weight.data(), b, 1e-5f, 9, n, y.data(), pool_, GetParam());
      reference::layer_norm(x.data() + 1, weight.data(), b, 1e-5f, 9, n, wanted.data());
      EXPECT_LT(relative_error(y, wanted), 1e-5) << "n " << n;
    }
  }
}

TEST_P(Norm, WorksInPlaceAndWithoutWeights) {
  const auto x = random_floats(4 * 33, 6);
  std::vector<float> wanted(x.size());
  auto y = x;
  layer_norm(y.data(), nullptr, nullptr, 1e-5f, 4, 33, y.data(), pool_, GetParam());
  reference::layer_norm(x.data(), nullptr, nullptr, 1e-5f, 4, 33, wanted.data());
  EXPECT_LT(relative_error(y, wanted), 1e-6);
  y = x;
  rms_norm(y.data(), nullptr, 0, 1e-5f, 4, 33, y.data(), pool_, GetParam());
  reference::rms_norm(x.data(), nullptr, 0, 1e-5f, 4, 33, wanted.data());
  EXPECT_LT(relative_error(y, wanted), 1e-6);
}

TEST(Normalize, PartsOfRowsTogetherMatchTheReference) {
  ThreadPool pool(2);
  const int64_t rows = 3, n = 50, first = 17;
  const auto x = random_floats(rows * n, 8), weight = random_floats(n, 9), bias = random_floats(n, 10);
  std::vector<float> wanted(x.size()), mean(rows), variance(rows);
  reference::layer_norm(x.data(), weight.data(), bias.data(), 1e-5f, rows, n, wanted.data());
  const auto part = [&](const std::vector<float>& from, int64_t height, int64_t begin, int64_t end) {
    std::vector<float> cut;
    for (int64_t r = 0; r < height; ++r)
      cut.insert(cut.end(), from.begin() + r * n + begin, from.begin() + r * n + end);
    return cut;
  };
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < n; ++i) mean[static_cast<size_t>(r)] += x[static_cast<size_t>(r * n + i)] / n;
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, first}, {first, n}, {n, n}}) {  // an empty part, too
    std::vector<float> squares(rows);
    sum_squares(part(x, rows, begin, end).data(), mean.data(), rows, end - begin, squares.data(), pool);
    for (size_t r = 0; r < squares.size(); ++r) variance[r] += squares[r] / n;
  }
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, first}, {first, n}}) {
    auto y = part(x, rows, begin, end);
    normalize(y.data(), mean.data(), variance.data(), part(weight, 1, begin, end).data(), 0,
              part(bias, 1, begin, end).data(), 1e-5f, rows, end - begin, y.data(), pool);
    EXPECT_LT(relative_error(y, part(wanted, rows, begin, end)), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Norm, testing::ValuesIn(available_isas()));

}  // namespace
}  // namespace cleave::kernels
