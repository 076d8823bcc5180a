#include "inference/embedding/pooling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace cleave::inference {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

const std::vector<std::vector<float>> kVectors = {{1, -8}, {2, 4}, {6, 1}};

std::vector<float> pooled(std::vector<PoolingMode> modes, int64_t left_out) {
  Pooler pooler(modes, 2, 3, left_out);
  for (int64_t i = 0; i < 3; ++i)
    if (pooler.needs(i)) pooler.add(i, kVectors[static_cast<size_t>(i)]);
  return pooler.result();
}

TEST(Pooling, TakesOneTokenOrAllOfThem) {
  EXPECT_THAT(pooled({PoolingMode::Cls}, 0), ElementsAre(1, -8));
  EXPECT_THAT(pooled({PoolingMode::Last}, 0), ElementsAre(6, 1));
  EXPECT_THAT(pooled({PoolingMode::Max}, 0), ElementsAre(6, 4));
  EXPECT_THAT(pooled({PoolingMode::Mean}, 0), ElementsAre(3, -1));
  EXPECT_THAT(pooled({PoolingMode::MeanSqrt}, 0), ElementsAre(FloatEq(9 / std::sqrt(3.0f)), FloatEq(-std::sqrt(3.0f))));
  EXPECT_THAT(pooled({PoolingMode::WeightedMean}, 0), ElementsAre(FloatEq(23.0f / 6), FloatEq(0.5f)));
}

TEST(Pooling, LeavesOutThePromptButNotTheFirstTokenWhereThatIsTheResult) {
  EXPECT_THAT(pooled({PoolingMode::Cls}, 1), ElementsAre(1, -8));
  EXPECT_THAT(pooled({PoolingMode::Mean}, 1), ElementsAre(4, 2.5f));
  EXPECT_THAT(pooled({PoolingMode::Max}, 2), ElementsAre(6, 1));
  EXPECT_THAT(pooled({PoolingMode::WeightedMean}, 1), ElementsAre(FloatEq(22.0f / 5), FloatEq(11.0f / 5)));
}

TEST(Pooling, SeveralModesFollowOneAnother) {
  EXPECT_THAT(pooled({PoolingMode::Cls, PoolingMode::Mean}, 0), ElementsAre(1, -8, 3, -1));
}

TEST(Pooling, AsksForNoTokenThatDoesNotMatter) {
  const std::vector<PoolingMode> cls = {PoolingMode::Cls}, last = {PoolingMode::Last}, mean = {PoolingMode::Mean};
  const auto needed = [](const std::vector<PoolingMode>& modes) {
    const Pooler pooler(modes, 2, 3, 1);
    return std::vector<bool>{pooler.needs(0), pooler.needs(1), pooler.needs(2)};
  };
  EXPECT_THAT(needed(cls), ElementsAre(true, false, false));
  EXPECT_THAT(needed(last), ElementsAre(false, false, true));
  EXPECT_THAT(needed(mean), ElementsAre(false, true, true));
}

}  // namespace
}  // namespace cleave::inference
