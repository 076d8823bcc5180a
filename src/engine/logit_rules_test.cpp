#include "engine/logit_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/error.h"
#include "engine/sampler.h"

namespace cleave::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kVocab = 6;

// The tokens that rules leave for the next place of a sequence.
std::vector<int32_t> left(const LogitRules& rules, const std::vector<int32_t>& tokens, History history = {}) {
  std::vector<float> logits(kVocab, 1.0f);
  history.tokens = tokens;
  rules.apply(logits, history);
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < kVocab; ++id)
    if (logits[static_cast<size_t>(id)] > -1e30f) ids.push_back(id);
  return ids;
}

TEST(LogitRules, ForbidTheTokenThatWouldRepeatAnNgram) {
  EXPECT_THAT(left({.no_repeat_ngram = 2}, {1, 2, 3, 1}), ElementsAre(0, 1, 3, 4, 5));
  EXPECT_THAT(left({.no_repeat_ngram = 2}, {1, 2, 1, 3, 1}), ElementsAre(0, 1, 4, 5));
  EXPECT_THAT(left({.no_repeat_ngram = 3}, {4, 1, 2, 0, 1, 2}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(left({.no_repeat_ngram = 1}, {4, 1}), ElementsAre(0, 2, 3, 5)) << "no token twice";
  EXPECT_THAT(left({.no_repeat_ngram = 3}, {1, 1}), ElementsAre(0, 1, 2, 3, 4, 5)) << "no complete one yet";
  EXPECT_THAT(left({.no_repeat_ngram = 3}, {1, 1, 1}), ElementsAre(0, 2, 3, 4, 5));
}

TEST(LogitRules, ForbidTheLastTokenOfABadWordBehindItsBeginning) {
  const LogitRules rules{.bad_words = {{3}, {1, 2}, {4, 4, 5}}};
  EXPECT_THAT(left(rules, {0}), ElementsAre(0, 1, 2, 4, 5));
  EXPECT_THAT(left(rules, {0, 1}), ElementsAre(0, 1, 4, 5));
  EXPECT_THAT(left(rules, {4}), ElementsAre(0, 1, 2, 4, 5)) << "the word is longer than the sequence";
  EXPECT_THAT(left(rules, {4, 4}), ElementsAre(0, 1, 2, 4));
  const std::vector<int32_t> ends = {3};
  EXPECT_THAT(left(rules, {0}, {.end_tokens = ends}), ElementsAre(0, 1, 2, 3, 4, 5)) << "an end token is no bad word";
}

TEST(LogitRules, KeepAnAnswerFromEndingEarly) {
  const std::vector<int32_t> ends = {2, 5};
  const History history{.prompt_length = 2, .end_tokens = ends};
  EXPECT_THAT(left({.min_new_tokens = 1}, {0, 0}, history), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(left({.min_new_tokens = 1}, {0, 0, 1}, history), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(left({.min_length = 4}, {0, 0, 1}, history), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(left({.min_length = 3}, {0, 0, 1}, history), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(LogitRules, ForceTheFirstTokenAndTheLast) {
  EXPECT_THAT(left({.forced_first = 4}, {0}), ElementsAre(4));
  EXPECT_THAT(left({.forced_first = 4}, {0, 4}), ElementsAre(0, 1, 2, 3, 4, 5));
  const LogitRules rules{.forced_last = {1, 3}};
  EXPECT_THAT(left(rules, {0, 0, 0}, {.prompt_length = 1, .length_limit = 4}), ElementsAre(1, 3));
  EXPECT_THAT(left(rules, {0, 0}, {.prompt_length = 1, .length_limit = 4}), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(LogitRules, SuppressTokensEverywhereOrAtTheBeginning) {
  EXPECT_THAT(left({.suppress = {0, 5, 99, -1}}, {1}), ElementsAre(1, 2, 3, 4)) << "ids outside do nothing";
  const LogitRules rules{.begin_suppress = {0, 5}};
  EXPECT_THAT(left(rules, {1, 1}, {.prompt_length = 2}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(left(rules, {1, 1, 1}, {.prompt_length = 2}), ElementsAre(0, 1, 2, 3, 4, 5));
  const LogitRules forced{.forced_first = 3, .begin_suppress = {0, 5}};
  EXPECT_THAT(left(forced, {1}, {.prompt_length = 1}), ElementsAre(3));
  EXPECT_THAT(left(forced, {1, 3}, {.prompt_length = 1}), ElementsAre(1, 2, 3, 4)) << "behind the forced token";
}

TEST(LogitRules, WinOverAForcedToken) {
  EXPECT_THAT(left({.forced_first = 4, .suppress = {4}}, {0}), IsEmpty());
}

TEST(LogitRules, HoldForGreedyChoicesBehindThePenalty) {
  const auto rules = std::make_shared<const LogitRules>(LogitRules{.no_repeat_ngram = 2, .suppress = {3}});
  const Sampler sampler({.repeat_penalty = 2, .rules = rules});
  const std::vector<int32_t> tokens = {0, 1, 0};
  SamplingScratch scratch;
  EXPECT_EQ(sampler.sample(std::vector<float>{4, 9, 1.5f, 8}, {.tokens = tokens}, scratch), 0)
      << "1 repeats, 3 is suppressed";
}

TEST(LogitRules, RefuseToLeaveNothing) {
  const Sampler sampler({.rules = std::make_shared<const LogitRules>(LogitRules{.suppress = {0, 1}})});
  SamplingScratch scratch;
  try {
    sampler.sample(std::vector<float>{1, 2}, {}, scratch);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("forbid all of 2 tokens"));
  }
}

TEST(LogitRules, AreChecked) {
  EXPECT_THROW(check(LogitRules{.no_repeat_ngram = -1}), Error);
  EXPECT_THROW(check(LogitRules{.bad_words = {{}}}), Error);
  EXPECT_THROW(check(LogitRules{.min_length = -1}), Error);
  EXPECT_THROW(check_ids({.bad_words = {{0, 9}}}, kVocab), Error);
  EXPECT_THROW(check_ids({.forced_first = 6}, kVocab), Error);
  EXPECT_THROW(check_ids({.forced_last = {-1}}, kVocab), Error);
  check_ids({.bad_words = {{5}}, .suppress = {99}}, kVocab);
}

}  // namespace
}  // namespace cleave::engine
