#include "server/live/desk.h"

#include <gtest/gtest.h>

#include "engine/testing/fake_model.h"

namespace cleave::server {
namespace {

using engine::NewToken;

TEST(Desk, SaysWhenToComeAgainByWhatPromptsAreLeftAndHowLongTheyTake) {
  engine::FakeModel model(engine::limits(50, 200));
  engine::TimePoint now{};
  model.on_step = [&](const runtime::StepInput& input) { now += std::chrono::milliseconds(40) * input.tokens.size(); };
  engine::Engine engine(model, {.max_length = 600, .now = [&] { return now; }});
  Metrics metrics;
  Desk desk({.max_queue = 0}, metrics, {});
  EXPECT_EQ(desk.refusal()->code, "loading");
  desk.open(nullptr, engine);
  EXPECT_EQ(desk.refusal()->retry_after, 1) << "nothing is left";
  engine.add({.prompt = engine::prompt(1, 500), .max_new_tokens = 1});
  const auto ignore = [](const NewToken&) {};
  for (int step = 0; step < 5; ++step) engine.step(ignore);
  const auto failure = desk.refusal();
  EXPECT_EQ(failure->code, "overloaded");
  EXPECT_NEAR(failure->retry_after, 250 * 0.04, 3);
  while (engine.step(ignore)) {
  }
  EXPECT_EQ(desk.refusal()->retry_after, 1);
  engine.add({.prompt = engine::prompt(2, 500), .max_new_tokens = 1});
  engine.add({.prompt = engine::prompt(3, 100), .max_new_tokens = 1});
  now += std::chrono::seconds(1);
  engine.step(ignore);
  EXPECT_NEAR(desk.refusal()->retry_after, 550 * 0.04, 3);
}

}  // namespace
}  // namespace cleave::server
