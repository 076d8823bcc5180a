#include "engine/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/fake_model.h"

namespace cleave::engine {
namespace {

using ::testing::ElementsAre;

// A machine whose steps last a millisecond, and one more for each decode row and each token of a prompt, by the
// engine's clock.
class Timed {
 public:
  explicit Timed(double max_gap, int64_t max_tokens = 512)
      : model(limits(max_tokens, 4000, 64)),
        engine(model, {.max_length = 10000, .max_gap = max_gap, .now = [this] { return now; }}) {
    model.on_step = [this](const runtime::StepInput& input) {
      now += std::chrono::milliseconds(1 + std::ssize(input.tokens));
    };
  }
  double seconds() const { return std::chrono::duration<double>(now.time_since_epoch()).count(); }

  TimePoint now{};
  FakeModel model;
  Engine engine;
};

TEST(Scheduler, APromptBesideAnswersKeepsStepsToTheGap) {
  Timed timed(0.1);
  SequenceId id = 0, prompt_id = 0;
  for (int i = 0; i < 4; ++i) id = timed.engine.add({.prompt = prompt(i, 300), .max_new_tokens = 100});
  std::vector<double> times;
  double arrived = 0, first = 0;
  run(timed.engine, [&](const NewToken& token) {
    if (token.sequence == prompt_id && first == 0) first = timed.seconds();
    if (token.sequence != id) return;
    times.push_back(timed.seconds());
    if (times.size() != 10) return;
    arrived = timed.seconds();
    prompt_id = timed.engine.add({.prompt = prompt(9, 2000), .max_new_tokens = 2});
  });
  double worst = 0;
  for (size_t i = 11; i < times.size(); ++i) worst = std::max(worst, times[i] - times[i - 1]);
  EXPECT_LE(worst, 0.12);
  EXPECT_GE(worst, 0.08);
  EXPECT_LE(first - arrived, 2.0 * 1.25) << "two seconds alone";
}

TEST(Scheduler, APromptWithoutAnswersBesideItTakesWholeSteps) {
  Timed timed(0.01);
  timed.engine.add({.prompt = prompt(1, 1000), .max_new_tokens = 1});
  run(timed.engine);
  EXPECT_THAT(timed.model.step_sizes, ElementsAre(512, 488));
}

TEST(Scheduler, PromptsGetOnBesideAnyNumberOfAnswers) {
  Timed timed(0.001);  // less than any step takes
  const SequenceId first = timed.engine.add({.prompt = prompt(1, 8), .max_new_tokens = 1000});
  bool added = false, finished = false;
  run(timed.engine, [&](const NewToken& token) {
    if (!added) timed.engine.add({.prompt = prompt(2, 320), .max_new_tokens = 1});
    added = true;
    if (token.sequence != first) finished = true;
    if (finished) timed.engine.stop(first);
  });
  EXPECT_TRUE(finished);
  EXPECT_EQ(timed.model.num_steps, 1 + 10) << "a block's worth of tokens in each";
}

std::vector<SequenceId> order_of_first_tokens(Engine& engine) {
  std::vector<SequenceId> order;
  run(engine, [&](const NewToken& token) {
    if (std::ranges::find(order, token.sequence) == order.end()) order.push_back(token.sequence);
  });
  return order;
}

TEST(Scheduler, AShortPromptDoesNotWaitForALongOne) {
  FakeModel model(limits(16, 200));
  Engine engine(model, 400);
  const SequenceId answering = engine.add({.prompt = prompt(1, 4), .max_new_tokens = 60});
  engine.step([](const NewToken&) {});
  const SequenceId long_one = engine.add({.prompt = prompt(2, 300), .max_new_tokens = 1});
  for (int i = 0; i < 3; ++i) engine.step([](const NewToken&) {});
  const SequenceId short_one = engine.add({.prompt = prompt(3, 10), .max_new_tokens = 1});
  EXPECT_THAT(order_of_first_tokens(engine), ElementsAre(answering, short_one, long_one));
}

TEST(Scheduler, ALongPromptWaitsForNoMoreThanItsOwnLengthOfOthers) {
  FakeModel model(limits(16, 400, 4));
  Engine engine(model, 400);
  const SequenceId long_one = engine.add({.prompt = prompt(1, 120), .max_new_tokens = 1});
  // A flood of prompts, each of which would come first.
  int others = 0, before = 0;
  std::optional<int> seen;
  const auto flood = [&] {
    while (others < 200 && engine.scheduler().num_waiting() < 4) {
      engine.add({.prompt = prompt(2 + others, 15), .max_new_tokens = 1});
      ++others;
    }
  };
  flood();
  run(engine, [&](const NewToken& token) {
    if (token.sequence == long_one)
      seen = before;
    else
      ++before;
    flood();
  });
  EXPECT_LE(*seen, 120 / 15 + 12);
}

TEST(Scheduler, WhatTheCacheHasDoesNotCountAsLength) {
  FakeModel model(limits(16, 400, 4));
  Engine engine(model, {.max_length = 400, .shares_prefixes = true});
  engine.add({.prompt = prompt(1, 200), .max_new_tokens = 1});
  run(engine);
  const SequenceId middle = engine.add({.prompt = prompt(2, 40), .max_new_tokens = 1});
  const SequenceId cached = engine.add({.prompt = prompt(1, 200), .max_new_tokens = 1});
  EXPECT_THAT(order_of_first_tokens(engine), ElementsAre(cached, middle));
}

}  // namespace
}  // namespace cleave::engine
