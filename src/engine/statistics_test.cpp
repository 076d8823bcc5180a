#include "engine/statistics.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/testing/fake_model.h"

namespace cleave::engine {
namespace {

TEST(Statistics, TellWhatTheEngineDoes) {
  FakeModel model(limits(64, 40, 2));
  TimePoint now{};
  Engine engine(model, {.max_length = 64, .shares_prefixes = true, .now = [&] { return now; }});
  EXPECT_EQ(engine.statistics().blocks, 40);
  EXPECT_EQ(engine.statistics().free_blocks, 40);
  model.on_step = [&](const runtime::StepInput&) {
    EXPECT_EQ(engine.statistics().step_began, now) << "while it computes";
    now += std::chrono::milliseconds(20);
  };
  for (int i = 1; i <= 3; ++i) engine.add({.prompt = prompt(i, 10), .max_new_tokens = 2});
  const auto deliver = [&](const NewToken&) { now += std::chrono::milliseconds(5); };
  engine.step(deliver);
  Statistics seen = engine.statistics();
  EXPECT_EQ(seen.running, 2);
  EXPECT_EQ(seen.waiting, 1);
  EXPECT_EQ(seen.waiting_tokens, 10);
  EXPECT_EQ(seen.free_blocks, 34);
  EXPECT_EQ(seen.named_blocks, 4);
  EXPECT_EQ(seen.steps, 1);
  EXPECT_NEAR(seen.step_seconds, 0.03, 1e-9);
  EXPECT_NEAR(seen.model_seconds, 0.02, 1e-9);
  EXPECT_EQ(seen.step_began, std::nullopt);
  EXPECT_EQ(seen.step_ended, now);
  EXPECT_GT(seen.seconds_per_prompt_token, 0);
  while (engine.step(deliver)) {
  }
  engine.add({.prompt = prompt(1, 10), .max_new_tokens = 1});
  while (engine.step(deliver)) {
  }
  seen = engine.statistics();
  EXPECT_EQ(seen.running, 0);
  EXPECT_EQ(seen.free_blocks, 40);
  EXPECT_EQ(seen.prompt_tokens, 40);
  EXPECT_EQ(seen.cached_tokens, 8);
  EXPECT_EQ(seen.computed_prompt_tokens, 32);
  EXPECT_EQ(seen.generated_tokens, 7);
  EXPECT_EQ(seen.preemptions, 0);
}

TEST(Statistics, CountExchangesOfStepsAlone) {
  FakeModel model(limits(64, 40, 2));
  Engine engine(model, 64);
  model.on_step = [&](const runtime::StepInput&) { model.exchanged += 0.004; };
  engine.add({.prompt = prompt(1, 10), .max_new_tokens = 3});
  while (engine.step([&](const NewToken&) { model.exchanged += 1; })) {
  }
  EXPECT_NEAR(engine.statistics().exchange_seconds, 3 * 0.004, 1e-9);
}

TEST(Statistics, CountWhatIsLeftOfPromptsAndSayWhatHasCome) {
  FakeModel model(limits(16, 40));
  Engine engine(model, 64);
  EXPECT_EQ(engine.statistics().newest, -1);
  const SequenceId id = engine.add({.prompt = prompt(1, 40), .max_new_tokens = 1});
  engine.step([](const NewToken&) {});
  EXPECT_EQ(engine.statistics().waiting_tokens, 24);
  EXPECT_EQ(engine.statistics().newest, id);
}

TEST(Statistics, AreReadWhileTheEngineWorks) {
  FakeModel model(limits(16, 40));
  Engine engine(model, 64);
  std::jthread reader([&](const std::stop_token& stop) {
    int64_t before = 0;
    while (!stop.stop_requested()) {
      const int64_t steps = engine.statistics().steps;
      EXPECT_GE(steps, before);
      before = steps;
    }
  });
  for (int i = 0; i < 10; ++i) engine.add({.prompt = prompt(i, 10), .max_new_tokens = 40});
  run(engine);
}

}  // namespace
}  // namespace cleave::engine
