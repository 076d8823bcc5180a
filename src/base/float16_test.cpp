#include "base/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cleave {
namespace {

TEST(Float16, EveryFiniteValueSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float16 half{static_cast<uint16_t>(bits)};
    if ((bits & 0x7c00u) == 0x7c00u) continue;
    EXPECT_EQ(to_float16(to_float(half)).bits, half.bits);
  }
}

TEST(Float16, MatchesTheCompilersOwnConversion) {
  for (uint32_t bits = 0; bits < 0x7f800000u; bits += 9973) {
    const float x = std::bit_cast<float>(bits);
    EXPECT_EQ(to_float16(x).bits, std::bit_cast<uint16_t>(static_cast<_Float16>(x))) << x;
    EXPECT_EQ(to_float16(-x).bits, std::bit_cast<uint16_t>(static_cast<_Float16>(-x))) << x;
  }
}

TEST(Float16, OverflowsToInfinityAndKeepsNan) {
  EXPECT_EQ(to_float(to_float16(65520.0f)), std::numeric_limits<float>::infinity());
  EXPECT_EQ(to_float(to_float16(65519.0f)), 65504.0f);
  EXPECT_TRUE(std::isnan(to_float(to_float16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Bfloat16, RoundsToNearestEven) {
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3f808000u)).bits, 0x3f80);  // halfway, to even
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3f818000u)).bits, 0x3f82);
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3f808001u)).bits, 0x3f81);
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::bit_cast<float>(0x7f800001u)))));
}

}  // namespace
}  // namespace cleave
