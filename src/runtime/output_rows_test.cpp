// What is told of rows of logits, over ranks that each have a part of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/rows/largest.h"
#include "runtime/rank_group.h"
#include "runtime/split_model.h"
#include "runtime/testing/tiny_model.h"

namespace cleave::runtime {
namespace {

constexpr int32_t kTokens = 6;
constexpr LogitsWish kWishes[kTokens] = {{}, {1}, {7, 0.5f}, {kMostTop, 1}, {}, {3}};

class OutputRowsOver : public testing::TestWithParam<int> {
 protected:
  StepOutput step(std::span<const LogitsWish> wishes) {
    const SequenceStep sequence{kTokens, 0, kTokens, blocks_, 2};
    return model_.step({tokens_, {&sequence, 1}, rows_, wishes});
  }
  std::span<const float> row(const std::vector<float>& logits, size_t index) const {
    const auto width = static_cast<size_t>(model_.output_width());
    return std::span(logits).subspan(index * width, width);
  }

  // Whether what is told is of these logits.
  void expect_told(const RowLogits& told, std::span<const float> all, const LogitsWish& wish) {
    const auto width = static_cast<int64_t>(all.size());
    std::vector<kernels::Ranked> top(static_cast<size_t>(wish.top));
    top.resize(static_cast<size_t>(kernels::largest(all.data(), width, wish.top, top.data())));
    EXPECT_TRUE(std::ranges::equal(told.top, top)) << wish.top;
    EXPECT_EQ(told.is_complete, wish.top > width);
    const double quantum = std::ldexp(1.0, std::bit_width(all.size()) - 52);
    const double sum = kernels::exp_sum(all.data(), width, top[0].value, wish.scale, quantum);
    EXPECT_EQ(told.sum, wish.scale == 0 ? 0 : sum);
  }

  TinyModel tiny_;
  plan::Plan plan_ = tiny_.plan(GetParam());
  RankGroup group_{thread_ranks(GetParam())};
  SplitModel model_{group_, tiny_.source(plan_)};
  const std::vector<int32_t> tokens_ = {3, 4, 5, 6, 7, 8}, rows_ = {0, 1, 2, 3, 4, 5}, blocks_ = {1};
};

TEST_P(OutputRowsOver, TellWhatIsWanted) {
  const std::span<const float> whole = step({}).logits;
  const std::vector<float> logits(whole.begin(), whole.end());
  const std::span<const RowLogits> told = step(kWishes).rows;
  ASSERT_EQ(told.size(), size_t{kTokens});
  for (size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].all.empty(), kWishes[i].top > 0);
    if (kWishes[i].top == 0)
      EXPECT_TRUE(std::ranges::equal(told[i].all, row(logits, i)));
    else
      expect_told(told[i], row(logits, i), kWishes[i]);
  }
}

TEST_P(OutputRowsOver, GiveAllLogitsBehindAStep) {
  const std::span<const float> whole = step({}).logits;
  const std::vector<float> logits(whole.begin(), whole.end());
  step(kWishes);
  for (const std::vector<int32_t>& wanted : {std::vector<int32_t>{1, 3, 5}, {2}}) {
    const std::span<const RowLogits> given = model_.logits(wanted);
    ASSERT_EQ(given.size(), wanted.size());
    for (size_t i = 0; i < given.size(); ++i)
      EXPECT_TRUE(std::ranges::equal(given[i].all, row(logits, static_cast<size_t>(wanted[i]))));
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, OutputRowsOver, testing::Values(1, 2, 3, 5));

}  // namespace
}  // namespace cleave::runtime
