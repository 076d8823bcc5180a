#include "kernels/rows/largest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

std::vector<Ranked> largest_of(const std::vector<float>& x, int64_t count) {
  std::vector<Ranked> out(static_cast<size_t>(count));
  out.resize(static_cast<size_t>(largest(x.data(), std::ssize(x), count, out.data())));
  return out;
}

std::vector<Ranked> wanted(const std::vector<float>& x, size_t count) {
  std::vector<Ranked> all;
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i] > -kInfinity) all.push_back({x[i], static_cast<int32_t>(i)});
  std::ranges::sort(all, is_ahead);
  all.resize(std::min(all.size(), count));
  return all;
}

TEST(Largest, FindsTheFirstOnesInOrder) {
  auto x = random_floats(10'000, 3);
  for (size_t i = 0; i < x.size(); i += 3) x[i] = static_cast<float>(static_cast<int>(x[i] * 4));  // many are equal
  for (const size_t count : {1, 2, 7, 256, 9'999, 20'000})
    EXPECT_EQ(largest_of(x, static_cast<int64_t>(count)), wanted(x, count));
  std::ranges::sort(x);
  EXPECT_EQ(largest_of(x, 20), wanted(x, 20));
  EXPECT_EQ(largest_of(std::vector<float>(300, 1.0f), 3), wanted(std::vector<float>(300, 1.0f), 3));
}

TEST(Largest, PassesOverWhatIsNoNumber) {
  EXPECT_EQ(largest_of({kNan, -kInfinity, 2, kNan, kInfinity, -1}, 4),
            (std::vector<Ranked>{{kInfinity, 4}, {2, 2}, {-1, 5}}));
  EXPECT_TRUE(largest_of({kNan, -kInfinity}, 4).empty());
  EXPECT_TRUE(largest_of({}, 4).empty());
  EXPECT_TRUE(largest_of({1, 2}, 0).empty());
}

TEST(ExpSum, IsTheSumOfExponentials) {
  auto x = random_floats(3'000, 4, 5.0f);
  x[7] = kNan;
  x[8] = -kInfinity;
  x[2'999] = 31;
  for (const Isa isa : available_isas())
    for (const float scale : {1.0f, 0.3f, 25.0f}) {
      double sum = 0;
      for (const float logit : x)
        if (logit > -kInfinity) sum += std::exp((double{logit} - 31) * double{scale});
      EXPECT_NEAR(exp_sum(x.data(), std::ssize(x), 31, scale, 0x1p-32, isa), sum, 1e-6 * sum);
    }
  const std::vector<float> peaks = {kInfinity, 3, kInfinity};
  EXPECT_EQ(exp_sum(peaks.data(), 3, kInfinity, 1, 0x1p-32), 2);
}

TEST(ExpSum, IsTheSameInWhateverPartsItIsTaken) {
  const auto x = random_floats(5'000, 5, 6.0f);
  for (const Isa isa : available_isas()) {
    const double whole = exp_sum(x.data(), 5'000, 30, 0.7f, 0x1p-34, isa);
    for (const int64_t part : {1, 7, 1'000, 2'777}) {
      double sum = 0;
      for (int64_t first = 0; first < 5'000; first += part)
        sum += exp_sum(x.data() + first, std::min<int64_t>(part, 5'000 - first), 30, 0.7f, 0x1p-34, isa);
      EXPECT_EQ(sum, whole) << to_string(isa) << ", parts of " << part;
    }
  }
}

}  // namespace
}  // namespace cleave::kernels
