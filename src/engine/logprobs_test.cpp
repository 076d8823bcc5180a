#include "engine/logprobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cleave::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(LogSoftmax, GivesLogarithmsOfProbabilities) {
  const std::vector<float> logits = {1000, 1000, 1000 + std::log(2.0f)};
  const LogSoftmax softmax(logits);
  EXPECT_NEAR(softmax.of(0), std::log(0.25), 1e-4);
  EXPECT_NEAR(softmax.of(2), std::log(0.5), 1e-4);
}

TEST(LogSoftmax, CountsWhatIsNoNumberAsImpossible) {
  const std::vector<float> logits = {0, kNan, -kInfinity, 0};
  const LogSoftmax softmax(logits);
  EXPECT_NEAR(softmax.of(0), std::log(0.5), 1e-6);
  EXPECT_EQ(softmax.of(1), -kInfinity);
  EXPECT_EQ(softmax.of(2), -kInfinity);
  EXPECT_EQ(softmax.top(4)[3].logprob, -kInfinity);
}

std::vector<int32_t> top_of(const std::vector<float>& logits, int count) {
  std::vector<int32_t> ids;
  for (const TokenLogprob& entry : LogSoftmax(logits).top(count)) ids.push_back(entry.token);
  return ids;
}

TEST(LogSoftmax, NamesTheMostProbableTokensAndOfEqualOnesTheFirst) {
  EXPECT_THAT(top_of({0, 3, 1, 3, 2}, 3), ElementsAre(1, 3, 4));
  EXPECT_THAT(top_of({0, 3, 1, 3, 2}, 1), ElementsAre(1));
  EXPECT_THAT(top_of({2, 2, 2, 2}, 2), ElementsAre(0, 1));
  EXPECT_THAT(top_of({0, 1, 2}, 9), ElementsAre(2, 1, 0));
  EXPECT_THAT(top_of({0, 1, 2}, 0), IsEmpty());
}

TEST(TokenLogprobs, HoldTheTokenBesideTheMostProbableOnes) {
  const TokenLogprobs logprobs = token_logprobs(std::vector<float>{std::log(1.0f), std::log(3.0f)}, 0, 1);
  EXPECT_NEAR(logprobs.logprob, std::log(0.25), 1e-6);
  ASSERT_THAT(logprobs.top, SizeIs(1));
  EXPECT_EQ(logprobs.top[0].token, 1);
  EXPECT_NEAR(logprobs.top[0].logprob, std::log(0.75), 1e-6);
}

TEST(FindLargest, TakesTheFirstOfEqualOnesAtAnyPlace) {
  for (size_t place = 0; place < 40; ++place) {
    std::vector<float> logits(40, -5.0f);
    logits[place] = logits[39] = 7;
    EXPECT_EQ(find_largest(logits), static_cast<int32_t>(place));
  }
  EXPECT_EQ(find_largest(std::vector<float>{kNan, -kInfinity}), -1);
}

}  // namespace
}  // namespace cleave::engine
