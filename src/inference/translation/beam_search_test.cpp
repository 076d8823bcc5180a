#include "inference/translation/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

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

std::vector<Hypothesis> search(const BeamSettings& settings, size_t count) {
  BeamSearch search(settings);
  while (!search.done()) {
    std::vector<float> rows;
    for (const BeamSearch::Beam& beam : search.running()) {
      const Row row = next(beam.tokens);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    search.advance(rows);
  }
  return search.results(count);
}

TEST(BeamSearch, IsGreedyWithOneBeam) {
  const auto found = search({.beams = 1, .end_tokens = {0}, .max_new_tokens = 3}, 1);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].tokens, ElementsAre(1, 1, 1));
}

TEST(BeamSearch, FindsABetterTextThanTheGreedyOne) {
  const auto found = search({.beams = 2, .length_penalty = 0, .end_tokens = {0}, .max_new_tokens = 3}, 2);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0].tokens, ElementsAre(2, 0));
  EXPECT_THAT(found[0].score, DoubleNear(std::log(0.36), 1e-6));
  EXPECT_GE(found[0].score, found[1].score);
}

TEST(BeamSearch, DividesScoresByLengthToThePenalty) {
  const auto found = search({.beams = 2,
                             .length_penalty = 1,
                             .stopping = BeamSettings::Stopping::AtOnce,
                             .end_tokens = {0},
                             .max_new_tokens = 3},
                            2);
  for (const Hypothesis& text : found) {
    double sum = 0;
    std::vector<int32_t> before;
    for (const int32_t token : text.tokens) {
      sum += static_cast<double>(next(before)[static_cast<size_t>(token)]);
      before.push_back(token);
    }
    EXPECT_THAT(text.score, DoubleNear(sum / static_cast<double>(text.tokens.size()), 1e-6));
  }
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
