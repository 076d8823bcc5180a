// cleave.h as a program sees it that knows nothing else: SmolLM2-135M-Instruct over ranks of one process.
#include <cleave/cleave.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <thread>

namespace {

using cleave::Finish;
using testing::HasSubstr;

cleave::ModelOptions smollm2() {
  cleave::ModelOptions options;
  options.path = CLEAVE_MODELS "/SmolLM2-135M-Instruct.Q4_1.gguf";
  return options;
}

cleave::Request question(const cleave::Model& model, const std::string& text, int64_t max_tokens) {
  cleave::Request request;
  request.prompt = model.tokenize(model.render({{"user", text}}, 0), false);
  request.max_tokens = max_tokens;
  request.sampling.temperature = 0;
  return request;
}

// Kind and text of the error that a call ends with.
template <class Call>
std::pair<cleave::ErrorKind, std::string> error_of(Call call) {
  try {
    call();
  } catch (const cleave::Error& error) {
    return {error.kind(), error.what()};
  }
  return {cleave::ErrorKind::Internal, "no error"};
}

TEST(Library, DescribesAModelAndItsPlanWithoutLoadingIt) {
  const cleave::Model model(smollm2());
  EXPECT_EQ(model.architecture(), "LlamaForCausalLM");
  EXPECT_EQ(model.vocab_size(), 49152);
  EXPECT_EQ(model.max_positions(), 8192);
  EXPECT_TRUE(model.has_chat_format());
  const std::vector<int32_t> ids = model.tokenize("Hello world", false);
  EXPECT_EQ(model.detokenize(ids), "Hello world");
  const cleave::Plan plan = model.plan(3);
  EXPECT_THAT(plan.text, HasSubstr("LlamaForCausalLM over 3 ranks"));
  EXPECT_THAT(plan.json, HasSubstr("\"predictions\""));
  cleave::SplitOptions keep;
  keep.keep = {"o_proj"};
  EXPECT_NE(model.plan(3, keep).hash, plan.hash);
  keep.environment = {{"DS_KEEP_LINEAR_ITEMS", "['down_proj']"}};
  EXPECT_THAT(model.plan(3, keep).text, HasSubstr("DS_KEEP_LINEAR_ITEMS"));
}

TEST(Library, AnswersOverRanksAndAloneAlike) {
  const cleave::Model model([] {
    cleave::ModelOptions exact = smollm2();
    exact.exact = true;
    return exact;
  }());
  std::vector<std::string> answers;
  for (const int ranks : {1, 2, 3}) {
    cleave::Group group({.ranks = ranks});
    cleave::Session session(model, group);
    EXPECT_EQ(session.weight_bytes().size(), static_cast<size_t>(ranks));
    std::string streamed;
    const cleave::Answer answer =
        session.generate(question(model, "What is the capital of France?", 16), [&](std::string_view text) {
          streamed += text;
          return true;
        });
    EXPECT_EQ(answer.text, streamed);
    EXPECT_EQ(answer.finish, Finish::Model);
    answers.push_back(answer.text);
  }
  EXPECT_THAT(answers[0], HasSubstr("Paris"));
  EXPECT_EQ(answers[1], answers[0]);
  EXPECT_EQ(answers[2], answers[0]);
}

TEST(Library, KeepsAnswersOfRequestsThatShareStepsApart) {
  const cleave::Model model(smollm2());
  cleave::Group group({.ranks = 2});
  cleave::Session session(model, group);
  const std::string questions[] = {"What is the capital of France?", "Count from one to five."};
  std::map<cleave::RequestId, std::string> texts;
  std::vector<cleave::RequestId> ids;
  for (const std::string& text : questions) ids.push_back(session.add(question(model, text, 24)));
  cleave::Request stopped = question(model, questions[0], 24);
  stopped.stop = {" Paris"};
  ids.push_back(session.add(stopped));
  std::map<cleave::RequestId, Finish> ends;
  while (session.step([&](const cleave::Piece& piece) {
    texts[piece.request] += piece.text;
    if (piece.finish) ends[piece.request] = *piece.finish;
  })) {
  }
  EXPECT_THAT(texts[ids[0]], HasSubstr("Paris"));
  EXPECT_THAT(texts[ids[1]], testing::Not(HasSubstr("Paris")));
  EXPECT_EQ(texts[ids[2]], "The capital of France is");
  EXPECT_EQ(ends[ids[2]], Finish::StopText);
  EXPECT_EQ(ends.size(), 3u);
}

TEST(Library, CancelsFromAnotherThread) {
  const cleave::Model model(smollm2());
  cleave::Group group({});
  cleave::Session session(model, group);
  const cleave::RequestId id = session.add(question(model, "Write a long story.", 1000));
  std::thread canceller;
  std::optional<Finish> finish;
  int64_t tokens = 0;
  while (session.step([&](const cleave::Piece& piece) {
    tokens += static_cast<int64_t>(piece.tokens.size());
    if (tokens == 3 && !canceller.joinable()) canceller = std::thread([&] { session.cancel(id); });
    finish = piece.finish;
  })) {
  }
  canceller.join();
  EXPECT_EQ(finish, Finish::Cancelled);
  EXPECT_LT(tokens, 1000);
}

TEST(Library, ScoresAreLogarithmsOfProbabilities) {
  const cleave::Model model(smollm2());
  cleave::Group group({.ranks = 2});
  cleave::Session session(model, group);
  const auto mean = [&](const std::string& text) {
    const std::vector<double> scores = session.score(model.tokenize(text));
    double sum = 0;
    for (const double score : scores) {
      EXPECT_LE(score, 0);
      sum += score;
    }
    return sum / static_cast<double>(scores.size());
  };
  EXPECT_GT(mean("The capital of France is Paris."), mean("The France capital Paris of is."));
  EXPECT_TRUE(session.score(std::vector<int32_t>{5}).empty());
  session.add(question(model, "Hello", 2));
  EXPECT_THAT(error_of([&] { session.score(std::vector<int32_t>{1, 2}); }).second, HasSubstr("under way"));
}

TEST(Library, TakesOneCallAtATimeAndNoneFromACallback) {
  const cleave::Model model(smollm2());
  cleave::Group group({});
  cleave::Session session(model, group), other(model, group);
  const cleave::Request request = question(model, "What is the capital of France?", 8);
  std::vector<std::string> refused;
  const cleave::Answer answer = session.generate(request, [&](std::string_view) {
    refused.push_back(error_of([&] { session.step({}); }).second);
    refused.push_back(error_of([&] { other.generate(request); }).second);
    std::thread([&] { refused.push_back(error_of([&] { other.score(request.prompt); }).second); }).join();
    return true;
  });
  EXPECT_THAT(answer.text, HasSubstr("Paris"));
  EXPECT_GE(refused.size(), 3u);
  EXPECT_THAT(refused, testing::Each(HasSubstr("one call at a time")));
}

TEST(Library, AnAnswerWhoseCallbackThrowsIsCancelled) {
  const cleave::Model model(smollm2());
  cleave::Group group({});
  cleave::Session session(model, group);
  const cleave::Request request = question(model, "Write a long story.", 4000);
  EXPECT_THROW(session.generate(request, [](std::string_view) -> bool { throw std::runtime_error("enough"); }),
               std::runtime_error);
  int steps = 0;
  while (session.step({})) ++steps;
  EXPECT_LT(steps, 3);
}

TEST(Library, AGroupFinishesBehindItsSessions) {
  const cleave::Model model(smollm2());
  cleave::Group group({});
  {
    cleave::Session session(model, group);
    EXPECT_THAT(error_of([&] { group.finish(); }).second, HasSubstr("with 1 session left"));
  }
  group.finish();
  EXPECT_THAT(error_of([&] { cleave::Session(model, group); }).second, HasSubstr("has finished"));
}

TEST(Library, WhatProgressThrowsReachesTheCallerWhateverItIs) {
  const cleave::Model model(smollm2());
  for (const int ranks : {1, 3}) {
    cleave::Group group({.ranks = ranks});
    const auto fail = [](int64_t, int64_t) { throw 7; };  // NOLINT(hicpp-exception-baseclass)
    EXPECT_ANY_THROW(cleave::Session(model, group, {.context = 64, .progress = fail}));
  }
}

TEST(Library, MoreThreadsThanTheSystemStartsAreAnError) {
  const auto start = [] {
    const rlimit limit{.rlim_cur = rlim_t{4} << 30, .rlim_max = rlim_t{4} << 30};  // a thread's stack takes 8 MiB
    setrlimit(RLIMIT_AS, &limit);
    const auto [kind, text] = error_of([] { cleave::Group({.threads = 4000}); });
    std::fprintf(stderr, "%s", text.c_str());
    std::exit(static_cast<int>(kind == cleave::ErrorKind::Io));
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(1), "no more threads");
}

TEST(Library, RefusesWhatCannotBeWithItsReason) {
  using cleave::ErrorKind;
  EXPECT_EQ(error_of([] { cleave::Model({.path = "no/such/model"}); }).first, ErrorKind::NotFound);
  const cleave::Model model(smollm2());
  EXPECT_EQ(error_of([&] { model.plan(0); }).first, ErrorKind::InvalidArgument);
  EXPECT_EQ(error_of([&] { model.plan(1 << 30); }).first, ErrorKind::InvalidArgument);
  EXPECT_EQ(error_of([] { cleave::Group({.ranks = 0}); }).first, ErrorKind::InvalidArgument);
  cleave::Group group({});
  EXPECT_EQ(error_of([&] { group.follow({}); }).first, ErrorKind::InvalidArgument);
  EXPECT_EQ(error_of([&] { cleave::Session(model, group, {.context = 0}); }).first, ErrorKind::InvalidArgument);
  cleave::Session session(model, group, {.context = 64});
  EXPECT_EQ(error_of([&] { session.add({}); }).first, ErrorKind::InvalidArgument);
  EXPECT_EQ(error_of([&] { session.add({.prompt = {1 << 20}}); }).first, ErrorKind::InvalidArgument);
  EXPECT_EQ(error_of([&] { session.add({.prompt = {1}, .sampling = {.top_p = 2}}); }).first,
            ErrorKind::InvalidArgument);
  EXPECT_THAT(error_of([&] { session.score(std::vector<int32_t>(65, 1)); }).second, HasSubstr("larger context"));
}

}  // namespace
