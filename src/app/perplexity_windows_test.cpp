#include "app/perplexity_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace cleave::app {
namespace {

using testing::ElementsAre;

TEST(TextWindows, WithoutAStrideCountTheSecondHalfOfWholeWindows) {
  EXPECT_THAT(text_windows(11, 4, std::nullopt), ElementsAre(TextWindow{0, 4, 3}, TextWindow{4, 8, 7}));
  EXPECT_TRUE(text_windows(3, 4, std::nullopt).empty());
}

TEST(TextWindows, WithAStrideCountEveryTokenButTheFirstOnce) {
  EXPECT_THAT(text_windows(9, 4, 2),
              ElementsAre(TextWindow{0, 4, 1}, TextWindow{2, 6, 4}, TextWindow{4, 8, 6}, TextWindow{6, 9, 8}));
  EXPECT_THAT(text_windows(8, 4, 2), ElementsAre(TextWindow{0, 4, 1}, TextWindow{2, 6, 4}, TextWindow{4, 8, 6}));
  EXPECT_THAT(text_windows(3, 4, 2), ElementsAre(TextWindow{0, 3, 1}));
}

TEST(TextWindows, ThatDoNotOverlapHaveNoPredecessorForTheirFirstToken) {
  EXPECT_THAT(text_windows(8, 4, 4), ElementsAre(TextWindow{0, 4, 1}, TextWindow{4, 8, 5}));
}

TEST(Nll, MeanPerplexityAndStandardError) {
  Nll nll;
  for (const double value : {1.0, 2.0, 3.0}) nll.add(value);
  EXPECT_DOUBLE_EQ(nll.mean(), 2);
  EXPECT_DOUBLE_EQ(nll.perplexity(), std::exp(2.0));
  EXPECT_NEAR(nll.standard_error(), std::sqrt(2.0 / 3 / 2), 1e-12);
}

}  // namespace
}  // namespace cleave::app
