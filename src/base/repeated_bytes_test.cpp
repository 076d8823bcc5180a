#include "base/repeated_bytes.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace cleave {
namespace {

TEST(RepeatedBytes, HoldThePatternAgainAndAgain) {
  std::vector<std::byte> pattern(3 * RepeatedBytes::kUnit);
  for (size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<std::byte>(i * 31 >> 4);
  RepeatedBytes made(pattern, 7 * pattern.size() + 5);
  const RepeatedBytes repeated = std::move(made);
  ASSERT_EQ(repeated.bytes().size(), 8 * pattern.size());
  for (size_t i = 0; i < repeated.bytes().size(); i += 97)
    ASSERT_EQ(repeated.bytes()[i], pattern[i % pattern.size()]) << i;
}

TEST(RepeatedBytes, KeepWhatTheyHoldWhenReleased) {
  const std::vector<std::byte> pattern(RepeatedBytes::kUnit, std::byte{9});
  const RepeatedBytes repeated(pattern, 8 * pattern.size());
  repeated.release(repeated.bytes().subspan(5));
  repeated.release(pattern);  // not its own
  for (const std::byte byte : repeated.bytes()) ASSERT_EQ(byte, std::byte{9});
}

TEST(RepeatedBytes, ReachFarBeyondTheMemoryOfTheMachine) {
  const std::vector<std::byte> pattern(RepeatedBytes::kUnit << 12, std::byte{7});
  const RepeatedBytes repeated(pattern, size_t{1} << 38);
  EXPECT_EQ(repeated.bytes()[(size_t{1} << 38) - 1], std::byte{7});
}

}  // namespace
}  // namespace cleave
