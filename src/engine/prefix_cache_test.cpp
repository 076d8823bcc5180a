// What sequences share, through the engine: the machine in place of a model answers wrongly wherever a block or a state
// is not what its sequence has.
#include "engine/prefix_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/fake_model.h"

namespace cleave::engine {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

EngineOptions sharing(int64_t max_length = 64) {
  return {.max_length = max_length, .shares_prefixes = true};
}

// Blocks of four, and a slot and some snapshots where `snapshots` says so.
StepLimits limits_with(int64_t snapshots, int64_t blocks = 40, int64_t max_tokens = 64) {
  StepLimits result = limits(max_tokens, blocks);
  result.num_state_slots = snapshots > 0 ? 8 : 0;
  result.num_snapshots = snapshots;
  return result;
}

std::vector<int32_t> joined(std::vector<int32_t> text, const std::vector<int32_t>& more) {
  text.insert(text.end(), more.begin(), more.end());
  return text;
}

// Answers a prompt alone and gives how many of its tokens were cached.
int64_t cached_of(Engine& engine, const std::vector<int32_t>& text, int64_t count = 2, std::string salt = "") {
  const SequenceId id = engine.add({.prompt = text, .max_new_tokens = count, .cache_salt = std::move(salt)});
  int64_t cached = -1;
  const Answers answers = run(engine, [&](const NewToken& token) { cached = token.usage.cached_tokens; });
  EXPECT_EQ(answers.at(id), expected_answer(text, static_cast<int>(count)));
  return cached;
}

class PrefixSharing : public testing::TestWithParam<int64_t> {  // snapshots
 protected:
  FakeModel model_{limits_with(GetParam())};
  Engine engine_{model_, sharing()};
  bool keeps_states() const { return GetParam() > 0; }
};

INSTANTIATE_TEST_SUITE_P(WithAndWithoutStates, PrefixSharing, testing::Values(0, 6),
                         [](const auto& instance) { return instance.param > 0 ? "States" : "NoStates"; });

TEST_P(PrefixSharing, TheSamePromptIsComputedOnce) {
  EXPECT_EQ(cached_of(engine_, prompt(1, 18)), 0);
  EXPECT_EQ(cached_of(engine_, prompt(1, 18)), 16) << "whole blocks";
  EXPECT_EQ(cached_of(engine_, prompt(1, 16)), keeps_states() ? 0 : 12) << "at least one token is computed";
  EXPECT_EQ(cached_of(engine_, prompt(2, 18)), 0);
  EXPECT_EQ(engine_.scheduler().totals().cached_tokens, keeps_states() ? 16 : 28);
  EXPECT_EQ(engine_.scheduler().totals().prompt_tokens, 18 + 18 + 16 + 18);
}

TEST_P(PrefixSharing, TheNextTurnBeginsWithTheLastAnswer) {
  std::vector<int32_t> text = prompt(1, 10);
  for (int turn = 0; turn < 3; ++turn) {
    const int64_t computed = turn == 0 ? 0 : (static_cast<int64_t>(text.size()) - 3 - 1) / 4 * 4;
    EXPECT_EQ(cached_of(engine_, text, 7), computed) << "turn " << turn;
    text = joined(joined(text, expected_answer(text, 7)), prompt(turn + 5, 3));
  }
}

TEST_P(PrefixSharing, PromptsThatPartInTheirMidstShareTheirBeginning) {
  const auto with_tail = [](int seed) { return joined(prompt(1, 12), prompt(seed, 9)); };
  EXPECT_EQ(cached_of(engine_, with_tail(2)), 0);
  // With states the second one finds no snapshot where they part, and takes one.
  EXPECT_EQ(cached_of(engine_, with_tail(3)), keeps_states() ? 0 : 12);
  EXPECT_EQ(cached_of(engine_, with_tail(4)), 12);
  EXPECT_EQ(cached_of(engine_, with_tail(5)), 12);
}

TEST(ShortPrompts, ShareNothingWithLongOnes) {
  FakeModel model(limits_with(0, 100));
  Engine engine(model, sharing(160));
  const std::vector<int32_t> short_text = prompt(1, 40), long_text = joined(short_text, prompt(2, 40));
  EXPECT_EQ(cached_of(engine, short_text), 0);
  EXPECT_EQ(cached_of(engine, long_text), 0);
  EXPECT_EQ(cached_of(engine, joined(short_text, prompt(3, 9))), 40);
  EXPECT_EQ(cached_of(engine, joined(long_text, prompt(4, 9))), 80);
}

TEST(ShortPrompts, ThatHaveBecomeLongAreNamedAsSuchWhenTheyAreComputedAgain) {
  FakeModel model(limits_with(0, 30));
  Engine engine(model, sharing(120));
  const std::vector<int32_t> text = prompt(1, 40);
  const SequenceId id = engine.add({.prompt = text, .max_new_tokens = 2, .keep = true});
  run(engine);
  engine.resume(id, prompt(2, 30), 2);
  run(engine);
  EXPECT_EQ(cached_of(engine, prompt(3, 110)), 0) << "takes the memory of the one that is kept";
  engine.resume(id, prompt(4, 3), 2);
  run(engine);
  EXPECT_EQ(cached_of(engine, text), 0);
}

TEST_P(PrefixSharing, EqualBeginningsThatWaitAreComputedOnce) {
  Answers wanted;
  for (int i = 0; i < 6; ++i) {
    const std::vector<int32_t> text = joined(prompt(1, 12), prompt(i + 2, 5));
    wanted[engine_.add({.prompt = text, .max_new_tokens = 4})] = expected_answer(text, 4);
  }
  EXPECT_EQ(run(engine_), wanted);
  EXPECT_EQ(model_.computed, 12 + 6 * 5 + 6 * 3);
}

TEST_P(PrefixSharing, SeveralAnswersToOnePromptShareIt) {
  std::vector<SequenceId> ids;
  for (uint64_t index = 0; index < 4; ++index)
    ids.push_back(engine_.add(
        {.prompt = prompt(1, 21), .sampling = {.temperature = 9, .seed = 5, .index = index}, .max_new_tokens = 3}));
  const Answers answers = run(engine_);
  EXPECT_EQ(model_.computed, 20 + 4 * 1 + 4 * 2);
  EXPECT_NE(answers.at(ids[0]), answers.at(ids[1]));
}

TEST_P(PrefixSharing, AnotherSaltSharesNothing) {
  EXPECT_EQ(cached_of(engine_, prompt(1, 18), 2, "mine"), 0);
  EXPECT_EQ(cached_of(engine_, prompt(1, 18), 2, "yours"), 0);
  EXPECT_EQ(cached_of(engine_, prompt(1, 18), 2, "mine"), 16);
}

TEST_P(PrefixSharing, AScoredPromptIsComputedWhole) {
  EXPECT_EQ(cached_of(engine_, prompt(1, 18)), 0);
  engine_.add({.prompt = prompt(1, 18), .max_new_tokens = 1, .prompt_logprobs = true});
  size_t scores = 0;
  run(engine_, [&](const NewToken& token) { scores = token.prompt_logprobs->size(); });
  EXPECT_EQ(scores, 17u);
}

TEST_P(PrefixSharing, HoldsWhileMemoryIsShort) {
  // Prompts with some beginnings in common, in chunks, that lose their memory to one another, and some cancelled.
  for (const int64_t blocks : {12, 20}) {
    FakeModel model(limits_with(GetParam() > 0 ? 3 : 0, blocks, 7));
    Engine engine(model, sharing(44));
    Answers wanted;
    std::vector<SequenceId> cancelled;
    for (int i = 0; i < 40; ++i) {
      const std::vector<int32_t> text = joined(prompt(i % 3, 5 + i % 11), prompt(i, 1 + i % 7));
      const SequenceId id = engine.add({.prompt = text, .max_new_tokens = 5 + i % 13});
      if (i % 7 == 3)
        cancelled.push_back(id);
      else
        wanted[id] = expected_answer(text, 5 + i % 13);
    }
    int steps = 0;
    Answers answers = run(engine, [&](const NewToken&) {
      if (++steps % 20 == 0 && !cancelled.empty()) {
        engine.stop(cancelled.back());
        cancelled.pop_back();
      }
    });
    for (const auto& [id, answer] : wanted) EXPECT_EQ(answers.at(id), answer) << id;
    EXPECT_EQ(engine.scheduler().blocks().num_free(), blocks);
  }
}

TEST(PrefixCache, WhatIsTurnedOtherwiseIsNotShared) {
  StepLimits turned = limits(64, 60);
  turned.recompute_lengths = turned.turning.switches = {12};
  FakeModel model(turned);
  Engine engine(model, sharing());
  EXPECT_EQ(cached_of(engine, prompt(1, 10), 1), 0);
  EXPECT_EQ(cached_of(engine, prompt(1, 20), 1), 0) << "longer than 12";
  EXPECT_EQ(cached_of(engine, prompt(1, 22), 1), 20);
  EXPECT_EQ(cached_of(engine, prompt(1, 11), 5), 8) << "short again, and then computed anew";
  EXPECT_EQ(cached_of(engine, joined(prompt(1, 11), expected_answer(prompt(1, 11), 5)), 1), 12);
}

TEST(PrefixCache, OfADynamicRuleEqualLengthsAloneShare) {
  StepLimits turned = limits(64, 60);
  turned.turning.dynamic_from = 12;
  FakeModel model(turned);
  Engine engine(model, sharing());
  EXPECT_EQ(cached_of(engine, prompt(1, 20), 1), 0);
  EXPECT_EQ(cached_of(engine, prompt(1, 21), 1), 0);
  EXPECT_EQ(cached_of(engine, prompt(1, 20), 1), 16);
  EXPECT_EQ(cached_of(engine, prompt(1, 12), 3), 0);
  EXPECT_EQ(cached_of(engine, prompt(1, 12), 3), 8);
}

TEST(PrefixCache, WithoutItNothingIsShared) {
  FakeModel model(limits(64, 40));
  Engine engine(model, 64);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(cached_of(engine, prompt(1, 18)), 0);
  EXPECT_EQ(engine.scheduler().blocks().num_named(), 0);
}

TEST(PrefixCache, APromptThatIsNeededOftenOutlivesOthers) {
  FakeModel model(limits(64, 12));
  Engine engine(model, sharing(48));
  cached_of(engine, prompt(1, 17), 1);
  for (int i = 2; i < 12; ++i) {
    cached_of(engine, prompt(i, 17), 1);
    EXPECT_EQ(cached_of(engine, prompt(1, 17), 1), 16) << i;
  }
}

}  // namespace
}  // namespace cleave::engine
