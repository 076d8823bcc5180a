#include "runtime/cpu/step_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/error.h"

namespace cleave::runtime::cpu {
namespace {

using testing::ElementsAre;

lower::Program program_with(std::vector<graph::RopeAttributes> ropes) {
  lower::Program program;
  program.limits = {.max_tokens = 8, .max_output_rows = 2};
  program.ropes = std::move(ropes);
  return program;
}

class StepStateTest : public testing::Test {
 protected:
  std::vector<int32_t> positions(const StepState& state) const {
    return {state.positions(), state.positions() + state.num_tokens()};
  }
  void begin(StepState& state, std::vector<SequenceStep> sequences, size_t tokens, std::vector<int32_t> rows = {}) {
    const std::vector<int32_t> ids(tokens, 5);
    state.begin({ids, sequences, rows}, 32, pool_);
  }

  const std::vector<int32_t> blocks_ = {0, 1};  // 64 positions
  ThreadPool pool_{2};
};

TEST_F(StepStateTest, LaysSequencesSideBySide) {
  const lower::Program program = program_with({});
  StepState state(program);
  begin(state, {{3, 10, 13, blocks_, 1}, {1, 0, 1, blocks_, 4}}, 4, {2, 3});
  EXPECT_EQ(state.num_tokens(), 4);
  EXPECT_EQ(state.num_output_rows(), 2);
  EXPECT_THAT(positions(state), ElementsAre(10, 11, 12, 0));
  ASSERT_EQ(state.spans().size(), 2u);
  EXPECT_EQ(state.spans()[1].first_row, 3);
  EXPECT_EQ(state.spans()[1].slot, 4);
}

TEST_F(StepStateTest, KnowsTheKindsOfItsRowsAndTheirForms) {
  lower::Program program = program_with({});
  program.limits = {.max_tokens = 8, .max_output_rows = 40};
  StepState state(program);
  const auto of = [&](int64_t count, kernels::RowKind kind) {
    return SequenceStep{.num_tokens = count, .rope_length = count, .blocks = blocks_, .kind = kind};
  };
  using enum kernels::RowKind;
  begin(state, {of(1, Answer), of(1, Answer), of(4, Prompt)}, 6, {0, 1});
  ASSERT_EQ(state.runs().size(), 2u);
  EXPECT_EQ(state.runs()[0].end, 2);
  EXPECT_EQ(state.runs()[1].first, 2);
  EXPECT_EQ(state.runs()[1].end, 6);
  EXPECT_EQ(state.form_of(Answer), kernels::Form{40}) << "as many as the model is loaded for";
  EXPECT_EQ(state.form_of(Prompt), kernels::Form{kernels::kManyRows});
  EXPECT_EQ(state.form_of(ShortPrompt), kernels::Form{kernels::kManyRowsOfForm - 1});
  EXPECT_EQ(state.expert_form_of(ShortPrompt, 2, 8), kernels::Form{7});
  EXPECT_EQ(state.expert_form_of(Answer, 2, 8), kernels::Form{10});
  EXPECT_EQ(state.expert_form_of(Answer, 1, 64), kernels::Form{1});
  EXPECT_EQ(state.output_form(), kernels::Form{40});
  begin(state, {of(6, ByCount)}, 6, {0});
  EXPECT_EQ(state.form_of(ByCount), kernels::Form{});
  EXPECT_EQ(state.output_form(), kernels::Form{});
}

TEST_F(StepStateTest, KeepsItsPlacesFromStepToStep) {
  const lower::Program program = program_with({});
  StepState state(program);
  begin(state, {{8, 0, 8, blocks_}}, 8, {0, 7});
  const int32_t *ids = state.token_ids(), *positions = state.positions(), *rows = state.output_rows();
  begin(state, {{1, 8, 9, blocks_}}, 1, {0});
  EXPECT_EQ(state.token_ids(), ids);
  EXPECT_EQ(state.positions(), positions);
  EXPECT_EQ(state.output_rows(), rows);
}

TEST_F(StepStateTest, RefusesStepsThatContradictThemselves) {
  const lower::Program program = program_with({});
  StepState state(program);
  EXPECT_THROW(begin(state, {}, 0), Error);                               // no token
  EXPECT_THROW(begin(state, {{9, 0, 9, blocks_}}, 9), Error);             // beyond max_tokens
  EXPECT_THROW(begin(state, {{1, 0, 1, blocks_}}, 1, {0, 0, 0}), Error);  // beyond max_output_rows
  EXPECT_THROW(begin(state, {{1, 0, 1, blocks_}}, 1, {1}), Error);        // a row that there is not
  EXPECT_THROW(begin(state, {{2, 0, 2, blocks_}}, 1), Error);             // more tokens than given
  EXPECT_THROW(begin(state, {{2, 63, 65, blocks_}}, 2), Error);           // beyond its blocks
  EXPECT_THROW(begin(state, {{1, -1, 1, blocks_}}, 1), Error);            // a position that there is not
  EXPECT_NO_THROW(begin(state, {{2, 62, 64, blocks_}}, 2, {0, 1}));
}

TEST_F(StepStateTest, TurnsRopesByPositionAndLongOnesByTheSequencesLength) {
  graph::RopeAttributes plain;
  plain.inverse_frequencies = {1, 0.5};
  graph::RopeAttributes longer = plain;
  longer.length_rule = graph::RopeAttributes::LengthRule::Switch;
  longer.original_length = 16;
  longer.long_inverse_frequencies = {0.25, 0.125};
  const lower::Program program = program_with({plain, longer});
  StepState state(program);
  begin(state, {{1, 3, 4, blocks_}, {1, 3, 20, blocks_}}, 2);
  for (size_t row = 0; row < 2; ++row) {
    EXPECT_NEAR(state.cosines(0)[row * 2 + 1], std::cos(1.5), 1e-6);
    EXPECT_NEAR(state.sines(1)[row * 2], std::sin(3 * (row == 0 ? 1 : 0.25)), 1e-6);
  }
}

}  // namespace
}  // namespace cleave::runtime::cpu
