#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "engine/testing/fake_model.h"

namespace cleave::engine {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;

TEST(Engine, AnswersOnePrompt) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const SequenceId id = engine.add({.prompt = prompt(1, 10), .max_new_tokens = 5});
  std::vector<std::optional<FinishReason>> finishes;
  EXPECT_EQ(run(engine, [&](const NewToken& t) { finishes.push_back(t.finish); })[id],
            expected_answer(prompt(1, 10), 5));
  EXPECT_THAT(finishes, ElementsAre(std::nullopt, std::nullopt, std::nullopt, std::nullopt, FinishReason::Length));
  EXPECT_EQ(model.num_steps, 5) << "the whole prompt in one step, then a token each";
}

TEST(Engine, SplitsALongPromptIntoChunks) {
  for (const int64_t max_tokens : {1, 3, 7}) {
    FakeModel model(limits(max_tokens, 16));
    Engine engine(model, 64);
    const SequenceId id = engine.add({.prompt = prompt(2, 20), .max_new_tokens = 4});
    EXPECT_EQ(run(engine)[id], expected_answer(prompt(2, 20), 4));
    EXPECT_THAT(model.step_sizes, Each(Le(max_tokens)));
  }
}

TEST(Engine, TellsTheWholePromptsLengthWhileItIsInChunks) {
  FakeModel model(limits(4, 16));
  Engine engine(model, 64);
  engine.add({.prompt = prompt(2, 10), .max_new_tokens = 3});
  run(engine);
  EXPECT_THAT(model.rope_lengths, ElementsAre(10, 10, 10, 11, 12));
}

// Limits of a model that turns keys otherwise beyond 12 tokens.
StepLimits limits_with_a_switch(int64_t max_tokens, int64_t num_blocks) {
  StepLimits changed = limits(max_tokens, num_blocks);
  changed.recompute_lengths = {12};
  return changed;
}

TEST(Engine, ComputesASequenceAnewThatPassesALengthBeyondWhichKeysAreTurnedOtherwise) {
  FakeModel model(limits_with_a_switch(8, 16));
  Engine engine(model, 64);
  const SequenceId id = engine.add({.prompt = prompt(2, 8), .max_new_tokens = 7});
  EXPECT_EQ(run(engine)[id], expected_answer(prompt(2, 8), 7));
  EXPECT_THAT(model.step_sizes, ElementsAre(8, 1, 1, 1, 1, 8, 5, 1)) << "13 tokens anew, in chunks";
  EXPECT_THAT(model.rope_lengths, ElementsAre(8, 9, 10, 11, 12, 13, 13, 14));
}

TEST(Engine, ComputesAKeptSequenceAnewWhereTheUsersTokensPassTheLength) {
  // 5: all 16 tokens anew; 12: the first answer passes, then nothing; 20: nothing.
  for (const auto& [length, computed] : {std::pair(5, 6 + 16 + 2), {12, 12 + 13 + 10 + 2}, {20, 21 + 10 + 2}}) {
    FakeModel model(limits_with_a_switch(64, 16));
    Engine engine(model, 64);
    const SequenceId id = engine.add({.prompt = prompt(3, length), .max_new_tokens = 2, .keep = true});
    run(engine);
    std::vector<int32_t> text(engine.tokens(id).begin(), engine.tokens(id).end());
    const std::vector<int32_t> more = prompt(4, 9);
    engine.resume(id, more, 3);
    text.insert(text.end(), more.begin(), more.end());
    EXPECT_EQ(run(engine)[id], expected_answer(text, 3));
    EXPECT_EQ(model.computed, computed) << length;
  }
}

TEST(Engine, SequencesThatPassTheLengthMakeRoomForOneAnother) {
  for (const int64_t num_blocks : {5, 8, 40}) {
    FakeModel model(limits_with_a_switch(7, num_blocks));
    Engine engine(model, 20);
    Answers wanted;
    for (int i = 1; i <= 5; ++i)
      wanted[engine.add({.prompt = prompt(i, 4 + 2 * i), .max_new_tokens = 5})] =
          expected_answer(prompt(i, 4 + 2 * i), 5);
    EXPECT_EQ(run(engine), wanted) << num_blocks << " blocks";
  }
}

TEST(Engine, AnswersManySequencesInTheSameSteps) {
  FakeModel model(limits(16, 40));
  Engine engine(model, 64);
  Answers wanted;
  for (int i = 1; i <= 6; ++i)
    wanted[engine.add({.prompt = prompt(i, 3 * i), .max_new_tokens = i + 2})] =
        expected_answer(prompt(i, 3 * i), i + 2);
  EXPECT_EQ(run(engine), wanted);
  EXPECT_LT(model.num_steps, 14) << "one after the other would take 33 steps";
}

TEST(Engine, TakesARequestWhileOthersAnswer) {
  FakeModel model(limits(16, 40));
  Engine engine(model, 64);
  const SequenceId first = engine.add({.prompt = prompt(1, 4), .max_new_tokens = 8});
  SequenceId second = 0;
  Answers answers = run(engine, [&](const NewToken& token) {
    if (second == 0) second = engine.add({.prompt = prompt(2, 30), .max_new_tokens = 3});
  });
  EXPECT_EQ(answers[first], expected_answer(prompt(1, 4), 8));
  EXPECT_EQ(answers[second], expected_answer(prompt(2, 30), 3));
  EXPECT_EQ(model.num_steps, 8) << "the second prompt's chunks travel with the first answer's tokens";
}

TEST(Engine, NeverWantsMoreRowsOfLogitsThanAStepHas) {
  FakeModel model(limits(64, 40, 2));  // the machine itself checks the rows
  Engine engine(model, 64);
  Answers wanted;
  for (int i = 1; i <= 5; ++i)
    wanted[engine.add({.prompt = prompt(i, 3), .max_new_tokens = 4})] = expected_answer(prompt(i, 3), 4);
  EXPECT_EQ(run(engine), wanted);
}

TEST(Engine, SequencesThatDoNotFitWaitInOrder) {
  FakeModel model(limits(64, 5));  // 20 positions
  Engine engine(model, 64);
  std::vector<SequenceId> finished;
  Answers wanted;
  for (int i = 1; i <= 4; ++i)
    wanted[engine.add({.prompt = prompt(i, 12), .max_new_tokens = 3})] = expected_answer(prompt(i, 12), 3);
  EXPECT_EQ(run(engine,
                [&](const NewToken& t) {
                  if (t.finish) finished.push_back(t.sequence);
                }),
            wanted);
  EXPECT_THAT(finished, ElementsAre(1, 2, 3, 4));
}

TEST(Engine, ComputesASequenceAgainThatLostItsBlocks) {
  FakeModel model(limits(64, 8));  // 32 positions, for three sequences that grow to 24 each
  Engine engine(model, 64);
  for (int i = 0; i < 30; ++i) {  // short answers, so that long ones are not expected
    engine.add({.prompt = prompt(9, 2), .max_new_tokens = 1});
    run(engine);
  }
  const int64_t before = model.computed;
  Answers wanted;
  for (int i = 1; i <= 3; ++i)
    wanted[engine.add({.prompt = prompt(i, 6), .max_new_tokens = 18})] = expected_answer(prompt(i, 6), 18);
  EXPECT_EQ(run(engine), wanted);
  EXPECT_GT(model.computed - before, 3 * 23) << "at least one was computed twice";
  EXPECT_GT(engine.scheduler().totals().preemptions, 0);
}

TEST(Engine, ExpectsAnswersAsLongAsOthersWere) {
  FakeModel model(limits(64, 8));
  Engine engine(model, 64);
  for (int i = 1; i <= 3; ++i) engine.add({.prompt = prompt(i, 6), .max_new_tokens = 18});
  run(engine);
  EXPECT_EQ(engine.scheduler().totals().preemptions, 0);
  EXPECT_EQ(model.computed, 3 * 23) << "each once";
}

TEST(Engine, EverySequenceUnderWayHasASlotForItsStatesToItself) {
  for (const int64_t slots : {1, 2, 5}) {
    for (const int64_t blocks : {9, 64}) {  // with few, sequences lose theirs and are computed again
      StepLimits wanted = limits(6, blocks);
      wanted.num_state_slots = slots;
      FakeModel model(wanted);
      Engine engine(model, 32);
      std::map<SequenceId, int> seeds;
      for (int seed = 0; seed < 6; ++seed)
        seeds[engine.add({.prompt = prompt(seed, 4 + seed), .max_new_tokens = 9})] = seed;
      const Answers answers = run(engine);
      for (const auto& [id, seed] : seeds) EXPECT_EQ(answers.at(id), expected_answer(prompt(seed, 4 + seed), 9));
    }
  }
}

TEST(Engine, AKeptSequenceGivesItsSlotToOthersAndIsComputedAgain) {
  StepLimits wanted = limits(8, 64);
  wanted.num_state_slots = 1;
  FakeModel model(wanted);
  Engine engine(model, 64);
  const SequenceId kept = engine.add({.prompt = prompt(1, 6), .max_new_tokens = 3, .keep = true});
  const std::vector<int32_t> first = run(engine)[kept];
  const SequenceId other = engine.add({.prompt = prompt(2, 6), .max_new_tokens = 3});
  EXPECT_EQ(run(engine)[other], expected_answer(prompt(2, 6), 3));
  std::vector<int32_t> text = prompt(1, 6);
  text.insert(text.end(), first.begin(), first.end());
  text.push_back(7);
  engine.resume(kept, std::vector<int32_t>{7}, 4);
  EXPECT_EQ(run(engine)[kept], expected_answer(text, 4));
}

TEST(Engine, EndsAtAnEndToken) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const std::vector<int32_t> answer = expected_answer(prompt(3, 5), 10);
  Request request{.prompt = prompt(3, 5)};
  request.end_tokens = {96, answer[4]};
  const SequenceId id = engine.add(std::move(request));
  std::optional<FinishReason> finish;
  const Answers answers = run(engine, [&](const NewToken& t) { finish = t.finish; });
  EXPECT_EQ(answers.at(id), std::vector<int32_t>(answer.begin(), answer.begin() + 5));
  EXPECT_EQ(finish, FinishReason::EndToken);
}

TEST(Engine, EndsWhereTheContextIsFull) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 13);
  const SequenceId id = engine.add({.prompt = prompt(3, 5)});
  std::optional<FinishReason> finish;
  EXPECT_EQ(run(engine, [&](const NewToken& t) { finish = t.finish; })[id].size(), 8u);
  EXPECT_EQ(finish, FinishReason::Context);
}

TEST(Engine, AnAnswerThatJustFitsTheContextEndsByItsLength) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 13);
  engine.add({.prompt = prompt(3, 5), .max_new_tokens = 8});
  std::optional<FinishReason> finish;
  run(engine, [&](const NewToken& t) { finish = t.finish; });
  EXPECT_EQ(finish, FinishReason::Length);
}

TEST(Engine, StopsASequenceFromItsOwnToken) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const SequenceId stopped = engine.add({.prompt = prompt(1, 5), .max_new_tokens = 30});
  const SequenceId other = engine.add({.prompt = prompt(2, 5), .max_new_tokens = 6});
  int count = 0;
  const Answers answers = run(engine, [&](const NewToken& token) {
    if (token.sequence == stopped && ++count == 3) engine.stop(stopped);
  });
  EXPECT_EQ(answers.at(stopped).size(), 3u);
  EXPECT_EQ(answers.at(other), expected_answer(prompt(2, 5), 6));
}

TEST(Engine, CountsTheTokensOfAnAnswerAndWhatWasCachedOfItsPrompt) {
  FakeModel model(limits(7, 16));
  Engine engine(model, 64);
  std::vector<Usage> usages;
  const auto note_usage = [&](const NewToken& token) { usages.push_back(token.usage); };
  const SequenceId id = engine.add({.prompt = prompt(1, 20), .max_new_tokens = 3, .keep = true});
  run(engine, note_usage);
  EXPECT_THAT(usages, ElementsAre(Usage{20, 0, 1}, Usage{20, 0, 2}, Usage{20, 0, 3}));
  usages.clear();
  engine.resume(id, prompt(2, 9), 2);
  run(engine, note_usage);
  EXPECT_THAT(usages, ElementsAre(Usage{32, 22, 1}, Usage{32, 22, 2})) << "all but the first answer's last token";
}

TEST(Engine, WhatIsComputedAgainWasNotCached) {
  FakeModel model(limits(64, 8));
  Engine engine(model, 32);
  const SequenceId kept = engine.add({.prompt = prompt(1, 16), .max_new_tokens = 2, .keep = true});
  run(engine);
  engine.add({.prompt = prompt(2, 24), .max_new_tokens = 2});
  run(engine);
  engine.resume(kept, prompt(3, 2), 1);
  Usage usage;
  run(engine, [&](const NewToken& token) { usage = token.usage; });
  EXPECT_EQ(usage, (Usage{20, 0, 1}));
}

TEST(Engine, AKeptSequenceGoesOnWithoutComputingItsPastAgain) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const SequenceId id = engine.add({.prompt = prompt(1, 20), .max_new_tokens = 4, .keep = true});
  run(engine);
  std::vector<int32_t> text(engine.tokens(id).begin(), engine.tokens(id).end());
  EXPECT_EQ(text.size(), 24u);
  const int64_t before = model.computed;
  engine.resume(id, prompt(2, 5), 3);
  const Answers answers = run(engine);
  for (const int32_t token : prompt(2, 5)) text.push_back(token);
  EXPECT_EQ(answers.at(id), expected_answer(text, 3));
  EXPECT_EQ(model.computed - before, 1 + 5 + 2)
      << "the answer's last token, the new ones, and two of the three answered";
}

TEST(Engine, AKeptSequenceGivesItsBlocksToOthersAndIsComputedAgain) {
  FakeModel model(limits(64, 8));
  Engine engine(model, 32);
  const SequenceId kept = engine.add({.prompt = prompt(1, 16), .max_new_tokens = 2, .keep = true});
  run(engine);
  std::vector<int32_t> text(engine.tokens(kept).begin(), engine.tokens(kept).end());
  const SequenceId other = engine.add({.prompt = prompt(2, 24), .max_new_tokens = 2});
  EXPECT_EQ(run(engine)[other], expected_answer(prompt(2, 24), 2));
  engine.resume(kept, prompt(3, 2), 4);
  for (const int32_t token : prompt(3, 2)) text.push_back(token);
  EXPECT_EQ(run(engine)[kept], expected_answer(text, 4));
}

TEST(Engine, ResumedSequencesThatNeedEachOthersBlocksBothFinish) {
  FakeModel model(limits(64, 4));  // 16 positions
  Engine engine(model, 16);
  const SequenceId a = engine.add({.prompt = prompt(1, 6), .max_new_tokens = 1, .keep = true});
  const SequenceId b = engine.add({.prompt = prompt(2, 6), .max_new_tokens = 1, .keep = true});
  run(engine);
  engine.resume(a, prompt(3, 5), 2);
  engine.resume(b, prompt(4, 5), 2);
  const Answers answers = run(engine);
  EXPECT_EQ(answers.at(a).size(), 2u);
  EXPECT_EQ(answers.at(b).size(), 2u);
}

TEST(Engine, ReleasingASequenceFreesItsBlocks) {
  FakeModel model(limits(64, 4));
  Engine engine(model, 16);
  const SequenceId id = engine.add({.prompt = prompt(1, 14), .max_new_tokens = 1, .keep = true});
  run(engine);
  engine.release(id);
  engine.stop(id);  // no longer there: nothing happens
  const SequenceId next = engine.add({.prompt = prompt(2, 14), .max_new_tokens = 2});
  EXPECT_EQ(run(engine)[next], expected_answer(prompt(2, 14), 2));
}

TEST(Engine, SamplesEachSequenceByItsOwnParameters) {
  FakeModel model(limits(64, 40));
  const auto answers_with = [&](uint64_t seed_of_second) {
    Engine engine(model, 64);
    const SamplingParams hot{.temperature = 5, .seed = 7};
    SamplingParams second = hot;
    second.seed = seed_of_second;
    const SequenceId a = engine.add({.prompt = prompt(1, 5), .sampling = hot, .max_new_tokens = 12});
    const SequenceId b = engine.add({.prompt = prompt(1, 5), .sampling = second, .max_new_tokens = 12});
    const SequenceId greedy = engine.add({.prompt = prompt(1, 5), .max_new_tokens = 12});
    Answers all = run(engine);
    EXPECT_EQ(all[greedy], expected_answer(prompt(1, 5), 12));
    return std::pair(all[a], all[b]);
  };
  const auto same = answers_with(7);
  EXPECT_EQ(same.first, same.second);
  const auto different = answers_with(8);
  EXPECT_EQ(different.first, same.first) << "a neighbour does not matter";
  EXPECT_NE(different.first, different.second);
}

TEST(Engine, RefusesWhatCanNeverBeAnswered) {
  FakeModel model(limits(64, 5));  // 20 positions
  Engine engine(model, 1000);
  EXPECT_THAT(error_of([&] { engine.add({.prompt = prompt(1, 20)}); }), HasSubstr("20 tokens, which leaves no room"));
  EXPECT_THAT(error_of([&] { engine.add({.prompt = {}}); }), HasSubstr("no tokens"));
  EXPECT_THAT(error_of([&] { engine.add({.prompt = {1, 97}}); }), HasSubstr("token 1 of the prompt has id 97"));
  EXPECT_THAT(error_of([&] { engine.add({.prompt = {-1}}); }), HasSubstr("id -1"));
  EXPECT_THAT(error_of([&] { engine.add({.prompt = {1}, .max_new_tokens = 0}); }), HasSubstr("0 new tokens"));
  EXPECT_FALSE(engine.step([](const NewToken&) {}));
}

TEST(Engine, ARefusedContinuationChangesNothing) {
  FakeModel model(limits(64, 5));
  Engine engine(model, 20);
  const SequenceId id = engine.add({.prompt = prompt(1, 8), .max_new_tokens = 2, .keep = true});
  run(engine);
  EXPECT_THAT(error_of([&] { engine.resume(id, prompt(2, 10), 5); }), HasSubstr("no room"));
  EXPECT_EQ(engine.tokens(id).size(), 10u);
  engine.resume(id, prompt(2, 3), 2);
  EXPECT_EQ(run(engine)[id].size(), 2u);
}

}  // namespace
}  // namespace cleave::engine
