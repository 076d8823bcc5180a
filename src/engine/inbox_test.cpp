#include "engine/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <optional>
#include <set>
#include <thread>

#include "engine/testing/fake_model.h"

namespace cleave::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Finishes = std::map<SequenceId, std::vector<FinishReason>>;

// What a loop delivers until it is stopped and has finished what it had begun. Belongs to the loop's thread while that
// runs.
struct Delivered {
  Answers answers;
  Finishes finishes;
  void operator()(const NewToken& token) {
    if (token.token) answers[token.sequence].push_back(*token.token);
    if (token.finish) finishes[token.sequence].push_back(*token.finish);
  }
};

void serve(Engine& engine, Delivered& delivered, const std::stop_token& stop) {
  while (engine.step(delivered) || engine.inbox().wait(stop)) {
  }
}

TEST(Inbox, AnswersWhatManyThreadsAddAtOnce) {
  FakeModel model(limits(16, 40));
  Engine engine(model, 64);
  Delivered delivered;
  std::jthread loop([&](const std::stop_token& stop) { serve(engine, delivered, stop); });
  std::mutex mutex;
  Answers wanted;
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 5; ++i) {
        const std::vector<int32_t> text = prompt(caller * 5 + i, 3 + 2 * i);
        const SequenceId id = engine.inbox().add({.prompt = text, .max_new_tokens = 4 + caller});
        const std::lock_guard lock(mutex);
        wanted[id] = expected_answer(text, 4 + caller);
      }
    });
  callers.clear();
  loop.request_stop();
  loop.join();
  EXPECT_THAT(wanted, SizeIs(20));
  EXPECT_EQ(delivered.answers, wanted);
  for (const auto& [id, finishes] : delivered.finishes) EXPECT_THAT(finishes, ElementsAre(FinishReason::Length));
}

TEST(Inbox, CancellingFromOtherThreadsEndsEachAnswerOnce) {
  FakeModel model(limits(16, 40));
  Engine engine(model, 64);
  Delivered delivered;
  std::jthread loop([&](const std::stop_token& stop) { serve(engine, delivered, stop); });
  std::mutex mutex;
  std::set<SequenceId> added;
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 10; ++i) {
        const SequenceId id = engine.inbox().add({.prompt = prompt(i, 5), .max_new_tokens = 50, .keep = i % 3 == 0});
        if (caller % 2 == 0) std::this_thread::yield();
        engine.inbox().stop(id);
        engine.inbox().release(id);
        const std::lock_guard lock(mutex);
        added.insert(id);
      }
    });
  callers.clear();
  loop.request_stop();
  loop.join();
  EXPECT_THAT(delivered.finishes, SizeIs(40));
  for (const auto& [id, finishes] : delivered.finishes) {
    EXPECT_TRUE(added.contains(id));
    EXPECT_THAT(finishes, SizeIs(1));
  }
}

TEST(Inbox, RefusesAtOnceWhatCanNeverBeAnswered) {
  FakeModel model(limits(64, 5));  // 20 positions
  Engine engine(model, 1000);
  Inbox& inbox = engine.inbox();
  EXPECT_THAT(error_of([&] { inbox.add({.prompt = prompt(1, 20)}); }), HasSubstr("20 tokens, which leaves no room"));
  EXPECT_THAT(error_of([&] { inbox.add({.prompt = {}}); }), HasSubstr("no tokens"));
  EXPECT_THAT(error_of([&] { inbox.add({.prompt = {1, 97}}); }), HasSubstr("token 1 of the prompt has id 97"));
  EXPECT_THAT(error_of([&] { inbox.add({.prompt = {1}, .sampling = {.temperature = -1}}); }), HasSubstr("temperature"));
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_FALSE(inbox.wait(stopped.get_token())) << "nothing has come in";
}

TEST(Inbox, IdsAreOfOneCountHoweverARequestComes) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const SequenceId first = engine.add({.prompt = prompt(1, 4), .max_new_tokens = 1});
  const SequenceId second = engine.inbox().add({.prompt = prompt(2, 4), .max_new_tokens = 1});
  const SequenceId third = engine.add({.prompt = prompt(3, 4), .max_new_tokens = 1});
  EXPECT_THAT((std::set{first, second, third}), SizeIs(3));
  EXPECT_THAT(run(engine), SizeIs(3));
}

TEST(Inbox, StoppingAnAnswerDeliversItsEndAndLeavesTheOthers) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const SequenceId stopped = engine.add({.prompt = prompt(1, 5), .max_new_tokens = 30});
  const SequenceId other = engine.add({.prompt = prompt(2, 5), .max_new_tokens = 6});
  std::vector<NewToken> tokens;
  const Answers answers = run(engine, [&](const NewToken& token) {
    if (token.sequence != stopped) return;
    tokens.push_back(token);
    if (tokens.size() == 3) engine.inbox().stop(stopped);
  });
  ASSERT_THAT(tokens, SizeIs(4));
  EXPECT_EQ(tokens[3].token, std::nullopt);
  EXPECT_EQ(tokens[3].finish, FinishReason::Cancelled);
  EXPECT_EQ(tokens[3].usage, (Usage{5, 0, 3}));
  EXPECT_EQ(answers.at(other), expected_answer(prompt(2, 5), 6));
}

TEST(Inbox, WhatIsStoppedBeforeItsFirstStepComputesNothing) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const SequenceId stopped = engine.inbox().add({.prompt = prompt(1, 5)});
  const SequenceId released = engine.inbox().add({.prompt = prompt(2, 5)});
  engine.inbox().stop(stopped);
  engine.inbox().release(released);
  engine.inbox().stop(released);
  engine.inbox().stop(1000);  // nobody's: nothing happens
  engine.inbox().release(1000);
  Delivered delivered;
  EXPECT_FALSE(engine.step(delivered));
  EXPECT_THAT(delivered.answers, IsEmpty());
  EXPECT_EQ(delivered.finishes,
            (Finishes{{stopped, {FinishReason::Cancelled}}, {released, {FinishReason::Cancelled}}}));
  EXPECT_EQ(model.num_steps, 0);
}

TEST(Inbox, AKeptSequenceThatIsStoppedGoesOnInTheSameStep) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const SequenceId id = engine.inbox().add({.prompt = prompt(1, 6), .max_new_tokens = 30, .keep = true});
  Delivered delivered;
  for (int i = 0; i < 3; ++i) engine.step(delivered);
  std::vector<int32_t> text = prompt(1, 6);
  for (const int32_t token : delivered.answers[id]) text.push_back(token);
  text.push_back(7);
  engine.inbox().stop(id);
  std::future<void> resumed = engine.inbox().resume(id, {7}, 2);
  delivered = {};
  while (engine.step(delivered)) {
  }
  resumed.get();
  EXPECT_EQ(delivered.answers[id], expected_answer(text, 2));
  EXPECT_THAT(delivered.finishes[id], ElementsAre(FinishReason::Cancelled, FinishReason::Length));
}

TEST(Inbox, ARefusedContinuationTellsItsCallerAndChangesNothing) {
  FakeModel model(limits(64, 5));
  Engine engine(model, 20);
  const SequenceId kept = engine.add({.prompt = prompt(1, 8), .max_new_tokens = 2, .keep = true});
  run(engine);
  const SequenceId busy = engine.add({.prompt = prompt(1, 4), .max_new_tokens = 1});
  Inbox& inbox = engine.inbox();
  std::future<void> too_long = inbox.resume(kept, prompt(2, 10), 5);
  std::future<void> unknown_token = inbox.resume(kept, {97}, 5);
  std::future<void> of_none = inbox.resume(1000, {1}, 5);
  std::future<void> unfinished = inbox.resume(busy, {1}, 5);
  std::future<void> right = inbox.resume(kept, prompt(2, 3), 2);
  const Answers answers = run(engine);
  EXPECT_THAT(error_of([&] { too_long.get(); }), HasSubstr("no room"));
  EXPECT_THAT(error_of([&] { unknown_token.get(); }), HasSubstr("id 97"));
  EXPECT_THAT(error_of([&] { of_none.get(); }), HasSubstr("sequence 1000 cannot be continued: it is not there"));
  EXPECT_THAT(error_of([&] { unfinished.get(); }), HasSubstr("its answer is not complete"));
  right.get();
  EXPECT_THAT(answers.at(kept), SizeIs(2));
}

TEST(Inbox, WhoWaitsForAnEngineThatEndsHearsOfIt) {
  FakeModel model(limits(64, 5));
  std::optional<Engine> engine(std::in_place, model, 20);
  std::future<void> resumed = engine->inbox().resume(1, {1}, 5);
  engine.reset();
  EXPECT_THROW(resumed.get(), std::future_error);
}

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

TEST(Inbox, WaitingTakesNoProcessorTimeAndEndsWithAnOrderOrAStop) {
  constexpr auto kWait = std::chrono::milliseconds(200);
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  std::stop_source stop;
  for (const bool by_order : {true, false}) {
    std::jthread waker([&] {
      std::this_thread::sleep_for(kWait);
      if (by_order)
        engine.inbox().stop(1);
      else
        stop.request_stop();
    });
    const double before = thread_seconds();
    EXPECT_EQ(engine.inbox().wait(stop.get_token()), by_order);
    EXPECT_LT(thread_seconds() - before, 0.1) << "of 0.2 seconds";
    engine.step([](const NewToken&) {});
  }
}

}  // namespace
}  // namespace cleave::engine
