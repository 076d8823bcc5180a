#include "engine/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cleave::engine {
namespace {

using ::testing::ElementsAre;

TEST(Philox, GivesTheWordsOfItsAuthors) {
  // Random123, tests/kat_vectors, philox4x32 of ten rounds.
  EXPECT_THAT(philox({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Uniform, DependsOnAllOfItsArguments) {
  constexpr uint64_t kHigh = uint64_t{1} << 32;
  std::set<double> seen;
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, kHigh})
    for (const uint64_t index : {uint64_t{0}, uint64_t{1}, kHigh})
      for (const uint64_t position : {uint64_t{0}, uint64_t{1}, kHigh}) seen.insert(uniform(seed, index, position));
  EXPECT_EQ(seen.size(), 27u);
  EXPECT_GE(*seen.begin(), 0);
  EXPECT_LT(*seen.rbegin(), 1);
}

TEST(Uniform, FillsTheIntervalEvenly) {
  constexpr int kDraws = 100000;
  std::array<int, 10> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(uniform(7, 0, static_cast<uint64_t>(i)) * 10)];
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 10, 4 * 95) << "four standard deviations";
}

}  // namespace
}  // namespace cleave::engine
