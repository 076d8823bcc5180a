#include "app/bench/samples.h"

#include <gtest/gtest.h>

namespace cleave::app {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoInTheMiddle) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({}), 0);
}

TEST(Samples, RatesAndTheirSpread) {
  Samples samples;
  for (const double seconds : {1.0, 2.0, 4.0}) samples.end_repetition(8, seconds, 1);
  EXPECT_EQ(samples.rate(), 4);
  EXPECT_EQ(samples.spread(), (8 - 2) / 4.0);
}

TEST(Samples, UndisturbedIsTheSumOfTheShortestTimes) {
  Samples samples;
  for (const auto& [first, second] : {std::pair{1.0, 5.0}, std::pair{3.0, 2.0}}) {
    samples.begin();
    samples.observe(OpKind::Matmul, first);
    samples.observe(OpKind::Norm, second);
  }
  EXPECT_EQ(samples.undisturbed_seconds(), 1 + 2);
}

TEST(Samples, KindsAreMediansOfMeansPerStepWithoutWarmUp) {
  Samples samples;
  samples.observe(OpKind::Matmul, 100);
  samples.drop_repetition();
  for (const double seconds : {1.0, 7.0, 3.0}) {
    for (int step = 0; step < 2; ++step) {
      samples.begin();
      samples.observe(OpKind::Matmul, seconds);
    }
    samples.end_repetition(2, 2 * seconds, 2);
  }
  EXPECT_EQ(samples.seconds_by_kind()[static_cast<size_t>(OpKind::Matmul)], 3);
}

}  // namespace
}  // namespace cleave::app
