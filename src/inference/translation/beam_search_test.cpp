#include "inference/translation/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace cleave::inference {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

constexpr float kNo = -100;

// Log-probabilities of tokens 0 (the end), 1 and 2 behind each text.
using Row = std::vector<float>;

Row next(const std::vector<int32_t>& text) {
  if (text.empty()) return {kNo, std::log(0.6f), std::log(0.4f)};
  if (text.back() == 1) return {std::log(0.2f), std::log(0.5f), std::log(0.3f)};
  return {std::log(0.9f), std::log(0.05f), std::log(0.05f)};
}

struct Found {
  std::vector<Hypothesis> texts;
  int steps = 0;
};

Found search(const BeamSettings& settings, size_t count) {
  Found found;
  BeamSearch search(settings);
  for (; !search.done(); ++found.steps) {
    std::vector<float> rows;
    for (const BeamSearch::Beam& beam : search.running()) {
      const Row row = next(beam.tokens);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    search.advance(rows);
  }
  found.texts = search.results(count);
  return found;
}

TEST(BeamSearch, IsGreedyWithOneBeam) {
  const auto found = search({.beams = 1, .end_tokens = {0}, .max_new_tokens = 3}, 1).texts;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].tokens, ElementsAre(1, 1, 1));
}

TEST(BeamSearch, FindsABetterTextThanTheGreedyOne) {
  const auto found = search({.beams = 2, .length_penalty = 0, .end_tokens = {0}, .max_new_tokens = 3}, 2).texts;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0].tokens, ElementsAre(2, 0));
  EXPECT_THAT(found[0].score, DoubleNear(std::log(0.36), 1e-6));
  EXPECT_THAT(found[1].tokens, ElementsAre(1, 2, 0));
  EXPECT_THAT(found[1].score, DoubleNear(std::log(0.162), 1e-6));
}

TEST(BeamSearch, DividesScoresByLengthToThePenalty) {
  const auto found = search({.beams = 2, .length_penalty = 2, .end_tokens = {0}, .max_new_tokens = 3}, 2).texts;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0].tokens, ElementsAre(1, 2, 0)) << "the longer one gains by it";
  EXPECT_THAT(found[0].score, DoubleNear(std::log(0.162) / 9, 1e-6));
  EXPECT_THAT(found[1].tokens, ElementsAre(1, 1, 1));
  EXPECT_THAT(found[1].score, DoubleNear(std::log(0.15) / 9, 1e-6));
}

TEST(BeamSearch, StopsAsSoonAsItIsToldTo) {
  using Stopping = BeamSettings::Stopping;
  const auto steps = [](double penalty, Stopping stopping) {
    return search({.beams = 2, .length_penalty = penalty, .stopping = stopping, .end_tokens = {0}, .max_new_tokens = 4},
                  2)
        .steps;
  };
  EXPECT_EQ(steps(1, Stopping::AtOnce), 3);
  EXPECT_EQ(steps(1, Stopping::Heuristic), 3);
  EXPECT_EQ(steps(1, Stopping::Never), 4) << "four tokens could be better than three are";
  EXPECT_EQ(steps(2, Stopping::AtOnce), 3);
  EXPECT_EQ(steps(2, Stopping::Heuristic), 4);
}

TEST(BeamSearch, PrefersTheBetterTextAndTheSmallerTokenAmongEquallyGoodContinuations) {
  BeamSearch search({.beams = 2, .max_new_tokens = 5});
  search.advance(Row{-1, -1, -1, -1});
  ASSERT_EQ(search.running().size(), 2U);
  EXPECT_THAT(search.running()[0].tokens, ElementsAre(0));
  EXPECT_THAT(search.running()[1].tokens, ElementsAre(1));
  search.advance(Row{-9, -9, -9, -2, -2, -9, -9, -9});
  EXPECT_THAT(search.running()[0].tokens, ElementsAre(0, 3));
  EXPECT_THAT(search.running()[1].tokens, ElementsAre(1, 0));
}

TEST(BeamSearch, ChoosesNothingThatMustNotComeOrIsNoNumber) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  BeamSearch search({.beams = 3, .max_new_tokens = 5});
  search.advance(Row{kNever, -1, kNan, kNever});
  ASSERT_EQ(search.running().size(), 1U);
  EXPECT_THAT(search.running()[0].tokens, ElementsAre(1));
  EXPECT_THROW(search.advance(Row{kNever, kNan, kNever, kNever}), Error);
}

TEST(BeamSearch, TellsWhichTextEachContinues) {
  BeamSearch search({.beams = 2, .end_tokens = {0}, .max_new_tokens = 5});
  EXPECT_EQ(search.running().size(), 1U);
  search.advance(next({}));
  ASSERT_EQ(search.running().size(), 2U);
  EXPECT_EQ(search.running()[1].parent, 0U);
  EXPECT_THAT(search.running()[1].tokens, ElementsAre(2));
}

TEST(LogSoftmax, SumsToOneWhateverTheLogits) {
  std::vector<float> logits = {1000, 999, -1000};
  log_softmax(logits);
  EXPECT_NEAR(std::exp(logits[0]) + std::exp(logits[1]) + std::exp(logits[2]), 1, 1e-6);
  EXPECT_NEAR(logits[0] - logits[1], 1, 1e-3);
}

}  // namespace
}  // namespace cleave::inference
