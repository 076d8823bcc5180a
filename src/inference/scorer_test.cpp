#include "inference/scorer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cleave::inference {
namespace {

TEST(NllOf, IsMinusTheLogarithmOfASoftmax) {
  const float logits[] = {1000, 1000, 1000 + std::log(2.0f)};
  EXPECT_NEAR(nll_of(logits, 0), std::log(4.0), 1e-4);
  EXPECT_NEAR(nll_of(logits, 2), std::log(2.0), 1e-4);
}

/// Gives logits that prefer the token after the fed one, and remembers how it was fed.
class Successor final : public engine::StepModel {
 public:
  engine::StepLimits limits() const override { return {16, 5, 3, 4, 8, 0}; }
  runtime::StepOutput step(const runtime::StepInput& input) override {
    EXPECT_LE(input.tokens.size(), 5u);
    EXPECT_LE(input.output_rows.size(), 3u);
    EXPECT_EQ(input.sequences[0].start_position, fed_);
    fed_ += input.sequences[0].num_tokens;
    logits_.assign(input.output_rows.size() * 16, 0.0f);
    for (size_t r = 0; r < input.output_rows.size(); ++r)
      logits_[r * 16 + static_cast<size_t>(input.tokens[static_cast<size_t>(input.output_rows[r])]) + 1] = 50;
    rows_ += input.output_rows.size();
    return {.logits = logits_};
  }
  std::span<const runtime::RowLogits> logits(std::span<const int32_t>) override { return {}; }
  int64_t fed() const { return fed_; }
  size_t rows() const { return rows_; }

 private:
  std::vector<float> logits_;
  int64_t fed_ = 0;
  size_t rows_ = 0;
};

TEST(Scorer, ScoresEveryCountedTokenByTheOneBeforeIt) {
  ThreadPool pool(2);
  for (int64_t first = 1; first < 14; ++first) {
    Successor model;
    Scorer scorer(model, pool);
    std::vector<int32_t> tokens(14);
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i);
    std::vector<double> scores;
    scorer.score(tokens, first, [&](double nll) { scores.push_back(nll); });
    EXPECT_EQ(model.fed(), 13);
    EXPECT_EQ(model.rows(), static_cast<size_t>(14 - first));
    EXPECT_EQ(scores.size(), static_cast<size_t>(14 - first));
    for (const double nll : scores) EXPECT_NEAR(nll, 0, 1e-6);
  }
}

}  // namespace
}  // namespace cleave::inference
