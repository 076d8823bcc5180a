// A choice from the largest logits alone is the one that all logits lead to, or there is none.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"
#include "engine/logprobs.h"
#include "engine/sampler.h"
#include "kernels/rows/largest.h"

namespace cleave::engine {
namespace {

constexpr size_t kVocab = 2000;
constexpr double kQuantum = 0x1p-40;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// What is told of a row, and its memory.
struct Told {
  Told(const std::vector<float>& logits, const runtime::LogitsWish& wish) : top(static_cast<size_t>(wish.top)) {
    top.resize(static_cast<size_t>(kernels::largest(logits.data(), std::ssize(logits), wish.top, top.data())));
    row = {.top = top, .is_complete = std::ssize(top) < wish.top};
    if (!top.empty() && wish.scale != 0)
      row.sum = kernels::exp_sum(logits.data(), std::ssize(logits), top[0].value, wish.scale, kQuantum);
  }
  std::vector<kernels::Ranked> top;
  runtime::RowLogits row;
};

/// Counts how often a choice could be made.
class Comparison {
 public:
  explicit Comparison(const SamplingParams& params) : sampler_(params) {}

  void compare(const std::vector<float>& logits, const History& history) {
    const runtime::LogitsWish wish = sampler_.wish(!history.allowed.empty());
    ++rows_;
    if (wish.top == 0) return;
    const Told told(logits, wish);
    const std::optional<int32_t> choice = sampler_.choose(told.row, history, scratch_);
    if (!choice) return;
    ++made_;
    EXPECT_EQ(*choice, sampler_.sample(logits, history, scratch_));
  }
  double share() const { return static_cast<double>(made_) / static_cast<double>(rows_); }

 private:
  Sampler sampler_;
  SamplingScratch scratch_;
  int rows_ = 0, made_ = 0;
};

class Rows {
 public:
  std::vector<float> next(float spread) {
    std::vector<float> logits(kVocab);
    std::normal_distribution<float> normal(0, spread);
    for (float& logit : logits) logit = std::round(normal(random_) * 8) / 8;  // some are equal
    return logits;
  }
  std::vector<int32_t> tokens(size_t count) {
    std::vector<int32_t> tokens(count);
    for (int32_t& token : tokens) token = static_cast<int32_t>(random_() % kVocab);
    return tokens;
  }
  std::vector<uint32_t> mask(uint32_t one_of) {
    std::vector<uint32_t> mask((kVocab + 31) / 32);
    for (size_t i = 0; i < kVocab; ++i)
      if (random_() % one_of == 0) mask[i / 32] |= 1u << i % 32;
    return mask;
  }

 private:
  std::mt19937 random_{7};
};

// The share of choices that are made of 200 rows.
double share_of(const SamplingParams& params, float spread, uint32_t mask_one_of = 0) {
  Comparison comparison(params);
  Rows rows;
  for (size_t i = 0; i < 200; ++i) {
    const std::vector<float> logits = rows.next(spread);
    const std::vector<int32_t> tokens = rows.tokens(i);
    std::vector<uint32_t> mask;
    if (mask_one_of > 0) mask = rows.mask(mask_one_of);
    comparison.compare(logits, {.tokens = tokens, .prompt_length = static_cast<int64_t>(i / 2), .allowed = mask});
  }
  return comparison.share();
}

TEST(ToldChoice, IsThatOfAllLogits) {
  for (const float spread : {1.0f, 4.0f})
    for (const double temperature : {0.0, 0.5, 1.3}) {
      SamplingParams params{.temperature = temperature, .top_k = 20, .seed = 5};
      EXPECT_EQ(share_of(params, spread), 1);
      params.top_p = 0.8;
      EXPECT_EQ(share_of(params, spread), 1);
      params.min_p = 0.05;
      EXPECT_EQ(share_of(params, spread), 1);
      params.repeat_penalty = 1.2;
      EXPECT_EQ(share_of(params, spread), 1);
      params.frequency_penalty = 0.5;
      params.presence_penalty = 0.25;
      EXPECT_EQ(share_of(params, spread), 1);
      params.logit_bias = {{5, -3.0f}, {1999, -100.0f}};
      EXPECT_EQ(share_of(params, spread), 1);
    }
}

TEST(ToldChoice, OfANucleusIsMadeWhereItIsSmallEnough) {
  EXPECT_EQ(share_of({.temperature = 0.7, .top_p = 0.9}, 4), 1);
  EXPECT_EQ(share_of({.temperature = 0.7, .min_p = 0.1}, 4), 1);
  EXPECT_EQ(share_of({.temperature = 0.7, .top_p = 0.9, .min_p = 0.1}, 4), 1);
  EXPECT_EQ(share_of({.temperature = 1.5, .top_p = 0.99}, 0.5f), 0) << "nearly all tokens are in it";
  EXPECT_EQ(share_of({.temperature = 1.5, .min_p = 0.01}, 0.5f), 0);
}

TEST(ToldChoice, UnderAConstraintIsMadeWhereOneIsToldThatMayCome) {
  EXPECT_EQ(share_of({}, 3, 4), 1);
  EXPECT_EQ(share_of({.temperature = 1, .top_k = 5}, 3, 2), 1);
  const double rarely = share_of({}, 3, 500);
  EXPECT_GT(rarely, 0);
  EXPECT_LT(rarely, 0.5);
  EXPECT_LT(share_of({.allowed = {3, 77, 1234}}, 3), 0.5);
}

TEST(ToldChoice, WantsAllLogitsWhereTheyMayBeRaisedOrAllCount) {
  const auto top = [](const SamplingParams& params) { return Sampler(params).wish(false).top; };
  EXPECT_EQ(top({}), 1);
  EXPECT_EQ(top({.temperature = 1}), 0);
  EXPECT_EQ(top({.repeat_penalty = 0.9}), 0);
  EXPECT_EQ(top({.frequency_penalty = -0.1}), 0);
  EXPECT_EQ(top({.presence_penalty = -0.1}), 0);
  EXPECT_EQ(top({.logit_bias = {{4, 0.5f}}}), 0);
  EXPECT_EQ(top({.rules = std::make_shared<LogitRules>()}), 0);
  EXPECT_EQ(top({.temperature = 1, .top_k = 1'000'000}), 0);
  EXPECT_EQ(top({.repeat_penalty = 1.1, .temperature = 1, .top_p = 0.5}), 0);
  EXPECT_EQ(top({.temperature = 1e-300, .top_p = 0.5}), 0);
}

TEST(ToldChoice, IsNoneWhereThereIsNoToken) {
  SamplingScratch scratch;
  const std::vector<float> nothing(10, -kInfinity);
  EXPECT_EQ(Sampler({}).choose(Told(nothing, {1}).row, {}, scratch), std::nullopt);
  const std::vector<uint32_t> mask = {0};
  EXPECT_EQ(Sampler({}).choose(Told(std::vector<float>(10, 1.0f), {65}).row, {.allowed = mask}, scratch), std::nullopt);
}

TEST(ToldLogprobs, AreThoseOfAllLogits) {
  Rows rows;
  for (int i = 0; i < 50; ++i) {
    const std::vector<float> logits = rows.next(3);
    const Told told(logits, {20, 1});
    const TokenLogprobs wanted = token_logprobs(logits, told.top[3].index, 5);
    const TokenLogprobs seen = token_logprobs(told.row, told.top[3].index, 5);
    EXPECT_NEAR(seen.logprob, wanted.logprob, 1e-5);
    ASSERT_EQ(seen.top.size(), wanted.top.size());
    for (size_t k = 0; k < 5; ++k) {
      EXPECT_EQ(seen.top[k].token, wanted.top[k].token);
      EXPECT_NEAR(seen.top[k].logprob, wanted.top[k].logprob, 1e-5);
    }
  }
}

}  // namespace
}  // namespace cleave::engine
