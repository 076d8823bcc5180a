#include "kernels/attention/half_range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/float16.h"

namespace cleave::kernels {
namespace {

TEST(HalfRange, EndsAt65504WhereverANumberLies) {
  ThreadPool pool(2);
  const float inf = std::numeric_limits<float>::infinity();
  for (const int64_t count : {1, 63, 64, 65, 200, 40'000}) {
    for (const int64_t place : {int64_t{0}, count / 2, count - 1}) {
      const auto fits = [&](float x) {
        std::vector<float> numbers(static_cast<size_t>(count), -1.0f);
        numbers[static_cast<size_t>(place)] = x;
        return fits_half(numbers.data(), count, pool);
      };
      for (const float x : {0.0f, -0.0f, 1e-30f, 65504.0f, -65504.0f}) EXPECT_TRUE(fits(x)) << x;
      for (const float x : {std::nextafter(65504.0f, inf), -65536.0f, 1e30f, inf, -inf, std::nanf("")})
        EXPECT_FALSE(fits(x)) << x << " at " << place << " of " << count;
    }
  }
}

TEST(HalfRange, WidensWhatIsThereAndLeavesTheRestAlone) {
  ThreadPool pool(2);
  std::vector<float16> halves(5000);
  for (size_t i = 0; i < halves.size(); ++i)
    halves[i] = to_float16(i / 2048 == 1 ? 0.0f : static_cast<float>(i) / 7 - 100);
  std::vector<float> wide(halves.size(), 0.0f);
  wide[3000] = 5;  // in the page of zeros
  widen_half(reinterpret_cast<const std::byte*>(halves.data()), wide, pool);
  for (size_t i = 0; i < halves.size(); ++i) ASSERT_EQ(wide[i], i == 3000 ? 5 : to_float(halves[i])) << i;
}

}  // namespace
}  // namespace cleave::kernels
