// What a request can ask of the engine beside tokens: order, deadlines, log-probabilities, constraints.
#include "engine/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/testing/fake_model.h"

namespace cleave::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What FakeModel's logits say of a successor, and of any other token.
const double kLikely = 1 - std::log(std::exp(1.0) + kVocabulary - 1), kOther = kLikely - 1;

std::vector<NewToken> news_of(Engine& engine) {
  std::vector<NewToken> news;
  run(engine, [&](const NewToken& token) { news.push_back(token); });
  return news;
}

TEST(Requests, TellTheLogProbabilitiesOfTheModelItself) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  const int32_t likely = expected_answer(prompt(1, 5), 1)[0];
  SamplingParams biased{.logit_bias = {{3, 50.0f}}};
  engine.add({.prompt = prompt(1, 5), .sampling = biased, .max_new_tokens = 1, .logprobs = 2});
  const std::vector<NewToken> news = news_of(engine);
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(news[0].token, 3);
  ASSERT_NE(news[0].logprobs, nullptr);
  EXPECT_NEAR(news[0].logprobs->logprob, kOther, 1e-5) << "before the bias";
  ASSERT_THAT(news[0].logprobs->top, SizeIs(2));
  EXPECT_EQ(news[0].logprobs->top[0].token, likely);
  EXPECT_NEAR(news[0].logprobs->top[0].logprob, kLikely, 1e-5);
  EXPECT_EQ(news[0].prompt_logprobs, nullptr) << "nobody asked";
}

TEST(Requests, TellNoLogProbabilitiesUnlessAsked) {
  FakeModel model(limits(64, 16));
  Engine engine(model, 64);
  engine.add({.prompt = prompt(1, 5), .max_new_tokens = 1});
  EXPECT_EQ(news_of(engine)[0].logprobs, nullptr);
  engine.add({.prompt = prompt(1, 5), .max_new_tokens = 1, .logprobs = 0});
  EXPECT_THAT(news_of(engine)[0].logprobs->top, IsEmpty());
}

// A prompt whose token behind `at` is the model's own choice.
std::vector<int32_t> prompt_with_a_successor(int length, int at) {
  std::vector<int32_t> text = prompt(4, length);
  text[static_cast<size_t>(at) + 1] = successor(std::span(text).first(static_cast<size_t>(at) + 1));
  return text;
}

void expect_scores(const NewToken& news, size_t length, size_t likely) {
  ASSERT_NE(news.prompt_logprobs, nullptr);
  ASSERT_THAT(*news.prompt_logprobs, SizeIs(length - 1));
  for (size_t i = 1; i < length; ++i) {
    const TokenLogprobs& score = (*news.prompt_logprobs)[i - 1];
    EXPECT_NEAR(score.logprob, i == likely ? kLikely : kOther, 1e-5) << i;
    EXPECT_THAT(score.top, SizeIs(1));
  }
}

TEST(Requests, ScoreThePromptWithTheFirstTokenOfTheAnswer) {
  // In chunks of some tokens, and with some rows of logits a step.
  for (const auto& [max_tokens, rows] : {std::pair(64, 64), {5, 8}, {64, 3}, {1, 1}}) {
    FakeModel model(limits(max_tokens, 16, rows));
    Engine engine(model, 64);
    engine.add({.prompt = prompt_with_a_successor(20, 8), .max_new_tokens = 2, .logprobs = 1, .prompt_logprobs = true});
    const std::vector<NewToken> news = news_of(engine);
    ASSERT_THAT(news, SizeIs(2));
    EXPECT_EQ(news[0].token, expected_answer(prompt_with_a_successor(20, 8), 1)[0]);
    expect_scores(news[0], 20, 9);
    EXPECT_EQ(news[1].prompt_logprobs, nullptr) << "told once";
  }
}

TEST(Requests, ScoreAPromptThatIsNotAnswered) {
  FakeModel model(limits(64, 5, 4));
  Engine engine(model, 20);
  const auto scored = [&](int length) {
    return Request{
        .prompt = prompt_with_a_successor(length, 8), .max_new_tokens = 0, .logprobs = 1, .prompt_logprobs = true};
  };
  engine.add(scored(20));  // as long as the context
  const std::vector<NewToken> news = news_of(engine);
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(news[0].token, std::nullopt);
  EXPECT_EQ(news[0].finish, FinishReason::Length);
  expect_scores(news[0], 20, 9);
  EXPECT_THAT(error_of([&] { engine.add(scored(21)); }), HasSubstr("21 tokens"));
  EXPECT_THAT(error_of([&] { engine.add({.prompt = {1}, .max_new_tokens = 0}); }), HasSubstr("0 new tokens"));
}

TEST(Requests, ScoreBesideOthersThatAnswerAndAgainWhenTheyLoseTheirBlocks) {
  for (const int64_t blocks : {8, 40}) {
    FakeModel model(limits(16, blocks, 3));
    Engine engine(model, 32);
    Answers wanted;
    for (int i = 1; i <= 3; ++i)
      wanted[engine.add({.prompt = prompt(i, 6), .max_new_tokens = 14})] = expected_answer(prompt(i, 6), 14);
    const SequenceId scored = engine.add(
        {.prompt = prompt_with_a_successor(20, 8), .max_new_tokens = 4, .logprobs = 1, .prompt_logprobs = true});
    wanted[scored] = expected_answer(prompt_with_a_successor(20, 8), 4);
    int told = 0;
    const Answers answers = run(engine, [&](const NewToken& token) {
      if (token.prompt_logprobs == nullptr) return;
      ++told;
      EXPECT_EQ(token.sequence, scored);
      expect_scores(token, 20, 9);
    });
    EXPECT_EQ(answers, wanted);
    EXPECT_EQ(told, 1);
  }
}

TEST(Requests, ASmallerPriorityNumberComesFirst) {
  FakeModel model(limits(64, 40, 1));  // one at a time
  Engine engine(model, 64);
  std::vector<SequenceId> ids;
  for (const int64_t priority : {0, 5, -2, 0, 5})
    ids.push_back(engine.add({.prompt = prompt(1, 5), .max_new_tokens = 2, .priority = priority}));
  std::vector<SequenceId> finished;
  run(engine, [&](const NewToken& token) {
    if (token.finish) finished.push_back(token.sequence);
  });
  EXPECT_THAT(finished, ElementsAre(ids[2], ids[0], ids[3], ids[1], ids[4]));
}

TEST(Requests, ALargerPriorityNumberLosesItsMemoryFirst) {
  FakeModel model(limits(64, 8));  // 32 positions, for three sequences that grow to 24 each
  Engine engine(model, 64);
  Answers wanted;
  std::vector<SequenceId> finished;
  for (const int64_t priority : {9, 1, 1})
    wanted[engine.add({.prompt = prompt(1, 6), .max_new_tokens = 18, .priority = priority})] =
        expected_answer(prompt(1, 6), 18);
  EXPECT_EQ(run(engine,
                [&](const NewToken& token) {
                  if (token.finish) finished.push_back(token.sequence);
                }),
            wanted);
  EXPECT_EQ(finished.back(), wanted.begin()->first);
}

TEST(Requests, EndAtTheirDeadlineWhetherTheyWaitOrRun) {
  FakeModel model(limits(64, 40, 1));
  TimePoint now{};
  Engine engine(model, {.max_length = 64, .now = [&] { return now; }});
  const auto ends_at = [](int milliseconds) { return TimePoint{} + std::chrono::milliseconds(milliseconds); };
  const SequenceId running = engine.add({.prompt = prompt(1, 5), .deadline = ends_at(30)});
  const SequenceId waiting = engine.add({.prompt = prompt(2, 5), .deadline = ends_at(20)});
  const SequenceId patient = engine.add({.prompt = prompt(3, 5), .max_new_tokens = 2, .deadline = ends_at(1000)});
  std::map<SequenceId, int> tokens;
  std::map<SequenceId, std::vector<FinishReason>> ends;
  while (engine.step([&](const NewToken& token) {
    if (token.token) ++tokens[token.sequence];
    if (token.finish) ends[token.sequence].push_back(*token.finish);
  }))
    now += std::chrono::milliseconds(10);
  EXPECT_THAT(ends[running], ElementsAre(FinishReason::Deadline));
  EXPECT_EQ(tokens[running], 3) << "at 0, 10 and 20 ms";
  EXPECT_THAT(ends[waiting], ElementsAre(FinishReason::Deadline));
  EXPECT_EQ(tokens[waiting], 0);
  EXPECT_THAT(ends[patient], ElementsAre(FinishReason::Length));
}

/// Allows the tokens of a list, one after the other, and remembers what it is told.
class InOrder final : public TokenConstraint {
 public:
  explicit InOrder(std::vector<int32_t> order) : order_(std::move(order)) {}
  void mask(std::span<uint32_t> allowed) override {
    EXPECT_EQ(allowed.size(), (kVocabulary + 31) / 32);
    if (accepted.size() == order_.size()) fail(ErrorKind::InvalidArgument, "nothing may come any more");
    const auto next = static_cast<size_t>(order_[accepted.size()]);
    for (size_t word = 0; word < allowed.size(); ++word) allowed[word] &= word == next / 32 ? 1u << next % 32 : 0;
  }
  void accept(int32_t token) override { accepted.push_back(token); }

  std::vector<int32_t> accepted;

 private:
  const std::vector<int32_t> order_;
};

TEST(Requests, AConstraintDecidesWhatMayComeNext) {
  FakeModel model(limits(64, 40));
  Engine engine(model, 64);
  const auto constraint = std::make_shared<InOrder>(std::vector<int32_t>{3, 96, 40});
  const SequenceId id = engine.add({.prompt = prompt(1, 5), .max_new_tokens = 3, .constraint = constraint});
  const SequenceId free = engine.add({.prompt = prompt(2, 5), .max_new_tokens = 3});
  const Answers answers = run(engine);
  EXPECT_THAT(answers.at(id), ElementsAre(3, 96, 40));
  EXPECT_THAT(constraint->accepted, ElementsAre(3, 96, 40));
  EXPECT_EQ(answers.at(free), expected_answer(prompt(2, 5), 3));
}

TEST(Requests, WhatGoesWrongInOneEndsItAlone) {
  FakeModel model(limits(64, 40));
  Engine engine(model, 64);
  const SequenceId broken =
      engine.add({.prompt = prompt(1, 5), .constraint = std::make_shared<InOrder>(std::vector<int32_t>{3})});
  const auto rules = std::make_shared<const LogitRules>(LogitRules{.suppress = {1}});
  const SequenceId forbidden = engine.add({.prompt = prompt(1, 5), .sampling = {.rules = rules, .allowed = {1}}});
  const SequenceId other = engine.add({.prompt = prompt(2, 5), .max_new_tokens = 6});
  std::map<SequenceId, std::vector<NewToken>> news;
  run(engine, [&](const NewToken& token) { news[token.sequence].push_back(token); });
  ASSERT_THAT(news[broken], SizeIs(2));
  EXPECT_EQ(news[broken][1].finish, FinishReason::Failed);
  EXPECT_THAT(news[broken][1].error->what(), HasSubstr("nothing may come"));
  ASSERT_THAT(news[forbidden], SizeIs(1));
  EXPECT_EQ(news[forbidden][0].finish, FinishReason::Failed);
  EXPECT_THAT(news[forbidden][0].error->what(), HasSubstr("forbid all"));
  EXPECT_THAT(news[other], SizeIs(6));
}

TEST(Requests, AreCheckedWhenTheyCome) {
  FakeModel model(limits(64, 40));
  Engine engine(model, 64);
  const auto refused = [&](SamplingParams sampling, int logprobs = -1) {
    return error_of([&] { engine.add({.prompt = {1}, .sampling = sampling, .logprobs = logprobs}); });
  };
  EXPECT_THAT(refused({.logit_bias = {{97, 1.0f}}}), HasSubstr("logit bias has id 97"));
  EXPECT_THAT(refused({.allowed = {-1}}), HasSubstr("allowed token has id -1"));
  EXPECT_THAT(refused({}, kMaxLogprobs + 1), HasSubstr("129 tokens"));
  EXPECT_THAT(refused({}, -2), HasSubstr("-2 tokens"));
}

}  // namespace
}  // namespace cleave::engine
