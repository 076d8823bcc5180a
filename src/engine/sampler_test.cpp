#include "engine/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"

namespace cleave::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Logits whose softmax is `probabilities`, raised by a constant that must not matter.
std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + 7));
  return logits;
}

// A history that lives as long as the call it is written in.
History after(std::initializer_list<int32_t> tokens) {
  return {.tokens = std::span(tokens.begin(), tokens.size())};
}

int32_t sample(const SamplingParams& params, const std::vector<float>& logits, const History& history = {}) {
  SamplingScratch scratch;
  return Sampler(params).sample(logits, history, scratch);
}

// The choices for places 0, 1, ... of a sequence.
std::vector<int32_t> draw(const SamplingParams& params, const std::vector<float>& logits, size_t count) {
  const Sampler sampler(params);
  SamplingScratch scratch;
  const std::vector<int32_t> tokens(count);
  std::vector<int32_t> ids;
  for (size_t i = 0; i < count; ++i)
    ids.push_back(sampler.sample(logits, {.tokens = std::span(tokens).first(i)}, scratch));
  return ids;
}

std::map<int32_t, double> frequencies(const SamplingParams& params, const std::vector<float>& logits,
                                      size_t draws = 20000) {
  std::map<int32_t, double> found;
  for (const int32_t id : draw(params, logits, draws)) found[id] += 1.0 / static_cast<double>(draws);
  return found;
}

std::vector<int32_t> chosen(const SamplingParams& params, const std::vector<float>& logits) {
  std::vector<int32_t> ids;
  for (const auto& [id, share] : frequencies(params, logits, 3000)) ids.push_back(id);
  return ids;
}

TEST(Sampler, WithoutTemperatureTakesTheLargestLogitAndTheFirstOfEqualOnes) {
  EXPECT_EQ(sample({}, {1, 5, -3, 5, 2}), 1);
  EXPECT_EQ(sample({}, {-1, -5, -0.5f}), 2);
}

TEST(Sampler, DrawsWithTheProbabilitiesOfTheSoftmax) {
  const auto found = frequencies({.temperature = 1, .seed = 3}, logits_of({0.5, 0.3, 0.15, 0.05}));
  // Four standard deviations of 20000 draws are at most 0.0142.
  EXPECT_NEAR(found.at(0), 0.5, 0.0142);
  EXPECT_NEAR(found.at(1), 0.3, 0.0142);
  EXPECT_NEAR(found.at(2), 0.15, 0.0142);
  EXPECT_NEAR(found.at(3), 0.05, 0.0142);
}

TEST(Sampler, TemperatureSharpensOrFlattens) {
  // At temperature 0.5 probabilities are squared, at 2 their roots count.
  EXPECT_NEAR(frequencies({.temperature = 0.5, .seed = 5}, logits_of({0.8, 0.2})).at(0), 0.64 / 0.68, 0.01);
  const double flat = std::sqrt(0.8) / (std::sqrt(0.8) + std::sqrt(0.2));
  EXPECT_NEAR(frequencies({.temperature = 2, .seed = 5}, logits_of({0.8, 0.2})).at(0), flat, 0.0142);
}

TEST(Sampler, TinyTemperatureAndHugeLogitsDoNotOverflow) {
  EXPECT_THAT(chosen({.temperature = 1e-300}, {1e38f, 3e38f, -3e38f}), ElementsAre(1));
}

TEST(Sampler, TopKKeepsTheMostProbableOnes) {
  EXPECT_THAT(chosen({.temperature = 1, .top_k = 2}, logits_of({0.2, 0.3, 0.1, 0.4})), ElementsAre(1, 3));
  EXPECT_THAT(chosen({.temperature = 1, .top_k = 2}, {0, 0, 0, 0}), ElementsAre(0, 1)) << "ties go to smaller ids";
  EXPECT_THAT(chosen({.temperature = 1, .top_k = 9}, {0, 0, 0}), ElementsAre(0, 1, 2));
}

TEST(Sampler, TopPKeepsTheFewestTokensThatReachIt) {
  const std::vector<float> logits = logits_of({0.1, 0.4, 0.2, 0.3});
  EXPECT_THAT(chosen({.temperature = 1, .top_p = 0.35}, logits), ElementsAre(1));
  EXPECT_THAT(chosen({.temperature = 1, .top_p = 0.65}, logits), ElementsAre(1, 3));
  EXPECT_THAT(chosen({.temperature = 1, .top_p = 0.85}, logits), ElementsAre(1, 2, 3));
  EXPECT_THAT(chosen({.temperature = 1, .top_p = 1e-9}, logits), ElementsAre(1)) << "one always remains";
}

TEST(Sampler, TopPSortsAsFarAsItMust) {
  // A thousand equal tokens: half of the probability takes five hundred, the first ones since ties go by id.
  const std::vector<int32_t> ids = chosen({.temperature = 1, .top_p = 0.4999}, std::vector<float>(1000, 1.0f));
  EXPECT_LE(ids.back(), 499);
  EXPECT_GT(ids.size(), 450u);
}

TEST(Sampler, MinPKeepsThoseNearTheMostProbable) {
  EXPECT_THAT(chosen({.temperature = 1, .min_p = 0.45}, logits_of({0.1, 0.4, 0.2, 0.3})), ElementsAre(1, 2, 3));
  EXPECT_THAT(chosen({.temperature = 1, .min_p = 1}, logits_of({0.1, 0.4, 0.2, 0.3})), ElementsAre(1));
}

TEST(Sampler, RepeatPenaltyActsOnceOnEveryTokenOfTheHistory) {
  const SamplingParams params{.repeat_penalty = 2};
  EXPECT_EQ(sample(params, {4, 3, -1}, after({0})), 1) << "4 / 2 < 3";
  EXPECT_EQ(sample(params, {4, 1.5f, 0}, after({0, 0, 0})), 0) << "penalised once";
  EXPECT_EQ(sample(params, {-2, -3, -9}, after({0})), 1) << "-2 * 2 < -3";
}

TEST(Sampler, FrequencyAndPresencePenaltyActOnTheAnswerAlone) {
  const std::vector<int32_t> tokens = {0, 0, 0, 1, 1, 2};
  const History history{.tokens = tokens, .prompt_length = 3};
  EXPECT_EQ(sample({.frequency_penalty = 1}, {4, 6.5f, 5.25f, 0}, history), 1) << "6.5 - 2, beside 4.25 and 4";
  EXPECT_EQ(sample({.frequency_penalty = 1}, {4, 5.9f, 4.9f, 0}, history), 0);
  EXPECT_EQ(sample({.presence_penalty = 1}, {4, 5.1f, 4.9f, 0}, history), 1) << "once, though it occurs twice";
  EXPECT_EQ(sample({.presence_penalty = -2}, {4, 0, 2.5f, 0}, history), 2) << "a negative one favours what is there";
  EXPECT_EQ(sample({.frequency_penalty = 1, .presence_penalty = 1}, {4, 6.9f, 5.9f, 0}, history), 0);
  SamplingScratch scratch;
  const Sampler sampler({.frequency_penalty = 1});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(sampler.sample(std::vector<float>{4, 6.5f, 5.25f, 0}, history, scratch), 1) << "counts do not add up";
}

TEST(Sampler, ABiasIsAddedToTheLogitsOfItsTokens) {
  EXPECT_EQ(sample({.logit_bias = {{2, 3.0f}, {0, -1.0f}}}, {4, 3.5f, 1}), 2);
  EXPECT_EQ(sample({.logit_bias = {{2, -100.0f}}}, {4, 3.5f, 9}), 0);
  EXPECT_THAT(chosen({.logit_bias = {{0, -100.0f}}, .temperature = 1}, {0, 0, 0}), ElementsAre(1, 2));
}

TEST(Sampler, ChoosesAmongAllowedTokensAlone) {
  const std::vector<float> logits = {4, 3.5f, 9, 1};
  EXPECT_EQ(sample({.allowed = {1, 3}}, logits), 1);
  EXPECT_THAT(chosen({.allowed = {1, 3}, .temperature = 5}, logits), ElementsAre(1, 3));
  const std::vector<uint32_t> mask = {0b1010u};
  EXPECT_EQ(sample({}, logits, {.allowed = mask}), 1);
  EXPECT_EQ(sample({.allowed = {2, 3}}, logits, {.allowed = mask}), 3) << "what both allow";
  const std::vector<uint32_t> far = {0, 0, 1u << 3, 0};
  std::vector<float> many(100, 1.0f);
  EXPECT_EQ(sample({}, many, {.allowed = far}), 67);
}

TEST(Sampler, RefusesToChooseAmongNothing) {
  const std::vector<uint32_t> nothing = {0};
  try {
    sample({}, {1, 2, 3}, {.allowed = nothing});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("forbid all of 3 tokens"));
  }
}

TEST(Sampler, RepeatsItsChoicesForASeedAndAnIndex) {
  std::vector<float> logits(50);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i % 7);
  const SamplingParams params{.temperature = 0.9, .top_k = 20, .top_p = 0.9, .seed = 42};
  EXPECT_EQ(draw(params, logits, 20), draw(params, logits, 20));
  SamplingParams other_seed = params, other_index = params;
  other_seed.seed = 43;
  other_index.index = 1;
  EXPECT_NE(draw(params, logits, 20), draw(other_seed, logits, 20));
  EXPECT_NE(draw(params, logits, 20), draw(other_index, logits, 20));
  EXPECT_NE(draw(other_seed, logits, 20), draw(other_index, logits, 20));
}

TEST(Sampler, ChoosesAlikeWhateverItHasChosenBefore) {
  const std::vector<float> logits(1000, 0.0f);
  const SamplingParams params{.temperature = 1, .seed = 9};
  const std::vector<int32_t> all = draw(params, logits, 10);
  const std::vector<int32_t> tokens(7);
  EXPECT_EQ(sample(params, logits, {.tokens = tokens}), all[7]);
}

TEST(Sampler, ChoosesTheSameTokensOnEveryMachine) {
  // Recorded: a change here changes what users get for a seed. Equal weights make the choice free of exp().
  EXPECT_THAT(draw({.temperature = 1, .seed = 1}, std::vector<float>(1000, 0.0f), 8),
              ElementsAre(890, 671, 247, 757, 247, 160, 445, 480));
}

TEST(Sampler, NeverChoosesWhatIsNoNumber) {
  EXPECT_THAT(chosen({.temperature = 1}, {kNan, 0, -kInfinity, 0}), ElementsAre(1, 3));
  EXPECT_EQ(sample({}, {kNan, -kInfinity, -3, kNan}), 2);
  EXPECT_THROW(sample({}, {kNan, -kInfinity}), Error);
  EXPECT_THROW(sample({.temperature = 1}, {kNan}), Error);
}

TEST(Sampler, RefusesParametersOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::pair<SamplingParams, const char*> cases[] = {
      {{.repeat_penalty = 0}, "repeat penalty"},
      {{.frequency_penalty = nan}, "frequency penalty"},
      {{.presence_penalty = HUGE_VAL}, "presence penalty"},
      {{.logit_bias = {{7, kInfinity}}}, "logit bias of token 7"},
      {{.temperature = -1}, "temperature"},
      {{.temperature = nan}, "temperature"},
      {{.top_k = -1}, "top k"},
      {{.top_p = 0}, "top p"},
      {{.top_p = 1.5}, "top p"},
      {{.min_p = -0.1}, "min p"},
      {{.min_p = nan}, "min p"},
  };
  for (const auto& [params, name] : cases) {
    try {
      Sampler sampler(params);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace cleave::engine
