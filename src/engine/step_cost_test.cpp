#include "engine/step_cost.h"

#include <gtest/gtest.h>

namespace cleave::engine {
namespace {

// A machine on which steps take a millisecond, and parts of them as many seconds as these say.
struct Machine {
  double step, row, token, position;
  double seconds(const StepWork& work) const {
    return step + row * static_cast<double>(work.decode_rows) + token * static_cast<double>(work.prompt_tokens) +
           position * work.prompt_positions;
  }
};

constexpr Machine kMachines[] = {{1e-3, 1e-4, 1e-3, 1e-7}, {0.5, 0.01, 0.02, 1e-6}, {1e-4, 1e-5, 1e-5, 1e-8}};

// Prompts of 4000 tokens in chunks of 512, and answers behind them.
void teach(StepCost& cost, const Machine& machine) {
  const auto learn = [&](const StepWork& work) { cost.learn(work, machine.seconds(work)); };
  for (int round = 0; round < 3; ++round) {
    for (int64_t position = 0; position < 4000; position += 512) learn(StepWork::chunk(512, position));
    for (int i = 0; i < 20; ++i) learn({.decode_rows = 8});
  }
}

TEST(StepCost, LearnsHowLongStepsTake) {
  for (const Machine& machine : kMachines) {
    StepCost cost;
    teach(cost, machine);
    for (const StepWork& work : {StepWork{.decode_rows = 8}, StepWork::chunk(512, 0), StepWork::chunk(512, 3000)}) {
      EXPECT_NEAR(cost.of(work) / machine.seconds(work), 1, 0.25);
    }
  }
}

TEST(StepCost, TheFirstPromptIsEnoughForARoughIdea) {
  for (const Machine& machine : kMachines) {
    StepCost cost;
    cost.learn(StepWork::chunk(512, 0), machine.seconds(StepWork::chunk(512, 0)));
    EXPECT_NEAR(cost.of(StepWork::chunk(512, 0)) / machine.seconds(StepWork::chunk(512, 0)), 1, 0.5);
  }
}

TEST(StepCost, ChunksThatItFindsAffordableKeepToTheTime) {
  for (const Machine& machine : kMachines) {
    StepCost cost;
    teach(cost, machine);
    const double gap = machine.seconds({.decode_rows = 8}) * 5;
    double worst = 0;
    for (int64_t position = 0; position < 8000;) {
      StepWork work{.decode_rows = 8};
      const int64_t tokens = cost.affordable(gap - cost.of(work), position);
      ASSERT_GT(tokens, 0);
      work += StepWork::chunk(tokens, position);
      position += tokens;
      worst = std::max(worst, machine.seconds(work));
      cost.learn(work, machine.seconds(work));
    }
    EXPECT_LT(worst, 1.5 * gap);
    EXPECT_GT(worst, 0.7 * gap) << "time that nobody uses";
  }
}

TEST(StepCost, ADisturbanceIsForgottenSoon) {
  StepCost cost;
  teach(cost, kMachines[0]);
  const StepWork work = StepWork::chunk(512, 0);
  const double before = cost.of(work);
  cost.learn(work, before * 100);
  EXPECT_LT(cost.of(work), before * 1.5);
  for (int i = 0; i < 5; ++i) cost.learn(work, before);
  EXPECT_NEAR(cost.of(work) / before, 1, 0.15);
}

TEST(StepCost, NothingIsAffordableInNoTime) {
  EXPECT_EQ(StepCost().affordable(0, 100), 0);
  EXPECT_EQ(StepCost().affordable(-1, 0), 0);
}

}  // namespace
}  // namespace cleave::engine
