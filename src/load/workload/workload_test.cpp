#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/testing/error_of.h"
#include "load/workload/job.h"
#include "load/workload/made_up_text.h"
#include "load/workload/prompts.h"
#include "load/workload/random.h"
#include "load/workload/workload.h"

namespace cleave::load {
namespace {

constexpr Range kAnswers{.least = 10, .most = 20};

std::unique_ptr<Prompts> some_prompts(Api api = Api::Chat) {
  return made_up_prompts(api, MadeUpText(1), 1, {.least = 5, .most = 9}, kAnswers);
}

int64_t num_words(const std::string& text) {
  return std::ranges::count(text, ' ') + 1;
}

TEST(MadeUpText, HasTheLengthThatIsAskedForAndRepeats) {
  EXPECT_EQ(num_words(MadeUpText(7).of_tokens(100, 0)), 100);
  EXPECT_EQ(num_words(MadeUpText(7, 1.25).of_tokens(100, 0)), 80);
  EXPECT_EQ(MadeUpText(7).of_tokens(50, 3), MadeUpText(7).of_tokens(50, 3));
  std::set<std::string> beginnings;
  for (uint64_t i = 0; i < 100; ++i) beginnings.insert(MadeUpText(7).of_words(8, i));
  for (uint64_t i = 0; i < 100; ++i) beginnings.insert(MadeUpText(8).of_words(8, i));
  EXPECT_EQ(beginnings.size(), 200);
}

TEST(Prompts, HaveLengthsOfTheirRanges) {
  const auto prompts = some_prompts();
  std::set<int64_t> words, answers;
  for (uint64_t i = 0; i < 200; ++i) {
    const Json fields = prompts->job(i).fields;
    EXPECT_EQ(fields["messages"][0]["role"], "user");
    words.insert(num_words(fields["messages"][0]["content"]));
    answers.insert(fields["max_tokens"].get<int64_t>());
  }
  EXPECT_EQ(words, (std::set<int64_t>{5, 6, 7, 8, 9}));
  EXPECT_EQ(answers.size(), 11);
  EXPECT_EQ(*answers.begin(), 10);
  EXPECT_EQ(*answers.rbegin(), 20);
  EXPECT_TRUE(some_prompts(Api::Completions)->job(0).fields["prompt"].is_string());
}

TEST(Prompts, OfAFileAreSentAsTheyAreAndGoRound) {
  std::vector<Job> jobs;
  jobs.push_back(job_of_line({{"prompt", "a"}, {"max_tokens", 3}}, Api::Chat));
  jobs.push_back(
      job_of_line({{"messages", Json::array({{{"role", "system"}, {"content", "b"}}})}, {"top_p", 0.5}}, Api::Chat));
  const auto prompts = listed_prompts(jobs, 1, kAnswers);
  EXPECT_EQ(prompts->job(2).fields.dump(), R"({"max_tokens":3,"messages":[{"content":"a","role":"user"}]})");
  const Json second = prompts->job(1).fields;
  EXPECT_EQ(second["top_p"], 0.5);
  EXPECT_GE(second["max_tokens"].get<int>(), 10);
  EXPECT_EQ(job_of_line({{"prompt", {1, 2}}}, Api::Completions).fields["prompt"].size(), 2);
}

TEST(Prompts, OfAFileThatAreNoneAreRefused) {
  const auto refusal = [](const Json& line, Api api) {
    return error_of(ErrorKind::InvalidArgument, [&] { job_of_line(line, api); });
  };
  for (const Json& line : {Json(3), Json::object(), Json{{"prompt", "a"}, {"messages", Json::array()}}})
    EXPECT_NE(refusal(line, Api::Chat).find("and not both"), std::string::npos);
  EXPECT_NE(refusal({{"messages", 1}}, Api::Chat).find("no array"), std::string::npos);
  EXPECT_NE(refusal({{"messages", Json::array()}}, Api::Completions).find("--api chat"), std::string::npos);
  EXPECT_NE(refusal({{"prompt", {1, 2}}}, Api::Chat).find("--api completions"), std::string::npos);
}

TEST(Body, IsAStreamWhateverElseIsAskedFor) {
  const RequestSettings settings{
      .model = "m", .temperature = 0, .ignore_eos = true, .extra = {{"top_k", 3}, {"stream", false}}};
  const Json body = Json::parse(body_of({.fields = {{"prompt", "a\xff"}, {"top_k", 5}}}, settings));
  EXPECT_EQ(body["model"], "m");
  EXPECT_EQ(body["top_k"], 5);
  EXPECT_EQ(body["stream"], true);
  EXPECT_EQ(body["stream_options"]["include_usage"], true);
  EXPECT_EQ(body["ignore_eos"], true);
  EXPECT_EQ(body["prompt"], "a\xEF\xBF\xBD");
}

TEST(ClosedLoop, KeepsAsManyUnderWay) {
  const auto prompts = some_prompts();
  const auto load = closed_loop(*prompts, 3);
  std::vector<Job> jobs;
  while (auto job = load->next(0)) jobs.push_back(*job);
  EXPECT_EQ(jobs.size(), 3);
  load->finished(jobs[1], std::nullopt);
  EXPECT_TRUE(load->next(1));
  EXPECT_FALSE(load->next(1));
  EXPECT_FALSE(load->next_time());
}

TEST(OpenLoop, FollowsItsSeedAndRate) {
  const auto prompts = some_prompts();
  const auto times = [&](uint64_t seed) {
    const auto load = open_loop(*prompts, 5, seed);
    std::vector<double> result;
    for (int i = 0; i < 2000; ++i) {
      const double time = *load->next_time();
      EXPECT_FALSE(load->next(time - 1e-9));
      EXPECT_TRUE(load->next(time));
      result.push_back(time);
    }
    return result;
  };
  const std::vector<double> one = times(1);
  EXPECT_EQ(one, times(1));
  EXPECT_NE(one, times(2));
  EXPECT_NEAR(one.back(), 400, 20);
  // Of an exponential distribution, 1 - 1/e is below its mean.
  int64_t below = 0;
  for (size_t i = 1; i < one.size(); ++i) below += one[i] - one[i - 1] < 0.2;
  EXPECT_NEAR(static_cast<double>(below) / 2000, 0.632, 0.03);
}

TEST(OpenLoop, SaysWhenRequestsWereDueThatAreAskedForLate) {
  const auto prompts = some_prompts();
  const auto load = open_loop(*prompts, 5, 1);
  const double first = *load->next_time();
  EXPECT_EQ(load->next(first + 60)->due, first);
  const double second = *load->next_time();
  EXPECT_LT(second, first + 60);
  EXPECT_EQ(load->next(first + 60)->due, second);
  EXPECT_FALSE(closed_loop(*prompts, 1)->next(3)->due);
}

TEST(Agents, SendTheWholeConversationAndBeginAgain) {
  const auto prompts = some_prompts();
  const auto load = agents(*prompts, MadeUpText(1), 1,
                           {.agents = 2, .turns = 3, .head_tokens = 30, .tool_tokens = {.least = 4, .most = 4}});
  const Job first = *load->next(0), other = *load->next(0);
  EXPECT_FALSE(load->next(0));
  EXPECT_EQ(first.fields["messages"].size(), 2);
  EXPECT_EQ(first.fields["messages"][0], other.fields["messages"][0]);
  EXPECT_NE(first.fields["messages"][1], other.fields["messages"][1]);
  load->finished(first, "yes");
  const Job second = *load->next(0);
  EXPECT_EQ(second.turn, 2);
  EXPECT_EQ(second.agent, first.agent);
  ASSERT_EQ(second.fields["messages"].size(), 4);
  EXPECT_EQ(second.fields["messages"][1], first.fields["messages"][1]);
  EXPECT_EQ(second.fields["messages"][2]["content"], "yes");
  EXPECT_EQ(num_words(second.fields["messages"][3]["content"]), 3 + 4);
  load->finished(second, "no");
  const Job third = *load->next(0);
  load->finished(third, "no");
  const Job again = *load->next(0);
  EXPECT_EQ(again.turn, 1);
  EXPECT_EQ(again.fields["messages"].size(), 2);
  EXPECT_NE(again.fields["messages"][1], first.fields["messages"][1]);
  load->finished(again, std::nullopt);
  EXPECT_EQ(load->next(0)->turn, 1);
}

TEST(Agents, EndBehindTheirConversations) {
  const auto prompts = some_prompts();
  const auto load = agents(*prompts, MadeUpText(1), 1, {.agents = 2, .turns = 2, .conversations = 2});
  int64_t requests = 0;
  while (auto job = load->next(0)) {
    ++requests;
    load->finished(*job, "yes");
  }
  EXPECT_EQ(requests, 4);
  EXPECT_FALSE(load->next_time());
}

TEST(Agents, AppendToPromptsOfCompletions) {
  const auto prompts = some_prompts(Api::Completions);
  const auto load = agents(*prompts, MadeUpText(1), 1, {.api = Api::Completions, .agents = 1});
  const Job first = *load->next(0);
  load->finished(first, "yes");
  const std::string before = first.fields["prompt"], after = load->next(0)->fields["prompt"];
  EXPECT_TRUE(after.starts_with(before + "yes\n\nThe tool says: "));
}

}  // namespace
}  // namespace cleave::load
