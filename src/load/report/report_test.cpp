#include "load/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cleave::load {
namespace {

using testing::HasSubstr;
using testing::Not;

// Begins at `begin`, has its first text a second later, and a token each half second then.
Result good(double begin, int64_t tokens, int64_t turn = 1) {
  Result result{
      .begin = begin, .end = begin + 1 + 0.5 * static_cast<double>(tokens - 1), .sent = begin, .first = begin + 1};
  result.gaps.assign(static_cast<size_t>(tokens - 1), 0.5F);
  result.prompt_tokens = 10;
  result.cached_tokens = 4;
  result.answer_tokens = tokens;
  result.counted = true;
  result.turn = turn;
  return result;
}

Result failed(double begin, const std::string& outcome) {
  return {.begin = begin, .end = begin + 0.1, .sent = begin, .outcome = outcome, .problem = "too <much>"};
}

TEST(Distribution, HasThePercentilesOfItsDefinition) {
  std::vector<double> values;
  for (int i = 200; i >= 1; --i) values.push_back(i);
  const Distribution times = distribution_of(values);
  EXPECT_EQ(times.count, 200);
  EXPECT_EQ(times.mean, 100.5);
  EXPECT_EQ(times.p50, 100);
  EXPECT_EQ(times.p90, 180);
  EXPECT_EQ(times.p95, 190);
  EXPECT_EQ(times.p99, 198);
  EXPECT_EQ(times.max, 200);
  EXPECT_EQ(distribution_of({3}).p50, 3);
  EXPECT_EQ(distribution_of({1, 2}).p99, 2);
  EXPECT_EQ(distribution_of({}).count, 0);
}

TEST(Summary, CountsWhatBecameOfRequests) {
  const std::vector<Result> results = {good(0, 5), good(1, 3), failed(2, "503"), failed(2, "503"),
                                       failed(3, kUnderWay)};
  const Summary summary = summarize(results, Loop::Closed, {}, 0.25);
  EXPECT_EQ(summary.done, 2);
  EXPECT_EQ(summary.failed, 2);
  EXPECT_EQ(summary.cut, 1);
  EXPECT_EQ(summary.failures.at("503"), 2);
  EXPECT_EQ(summary.prompt_tokens, 20);
  EXPECT_EQ(summary.cached_tokens, 8);
  EXPECT_EQ(summary.answer_tokens, 8);
  EXPECT_DOUBLE_EQ(summary.seconds, 3.1);
  EXPECT_DOUBLE_EQ(summary.answer_rate, 8 / 3.1);
  EXPECT_DOUBLE_EQ(summary.first.p50, 1);
  EXPECT_DOUBLE_EQ(summary.gap.max, 0.5);
  EXPECT_EQ(summary.gap.count, 6);
  EXPECT_DOUBLE_EQ(summary.per_token.p50, 0.5);
}

TEST(Summary, MeasuresTheRateWhileAllAreUnderWay) {
  // 0 to 3 and 1 to 4 overlap from 1 to 3; in that time come 4 tokens of the first (1, 1.5, 2, 2.5), 2 of the second.
  const Summary summary = summarize(std::vector<Result>{good(0, 5), good(1, 5)}, Loop::Closed, {}, 0);
  EXPECT_EQ(summary.most_open, 2);
  EXPECT_DOUBLE_EQ(summary.full_seconds.value(), 2);
  EXPECT_DOUBLE_EQ(summary.full_rate.value(), 3);
}

TEST(Summary, OfAnOpenLoopHasNoRateOfItsPeak) {
  const Summary summary = summarize(std::vector<Result>{good(0, 5), good(1, 5)}, Loop::Open, {}, 0);
  EXPECT_EQ(summary.most_open, 2);
  EXPECT_FALSE(summary.full_rate);
  EXPECT_FALSE(summary.full_seconds);
  EXPECT_TRUE(json_of("t", summary)["answer_tokens_per_second_with_most_under_way"].is_null());
  EXPECT_THAT(text_of("t", summary), Not(HasSubstr("requests under way")));
}

TEST(Summary, CountsTheWaitOfRequestsThatWereSentLate) {
  Result late = good(1, 5);
  late.sent = 1.75;
  const Summary summary = summarize(std::vector<Result>{good(0, 2), late}, Loop::Open, {.first = 0.5}, 0);
  EXPECT_DOUBLE_EQ(summary.first.max, 1);
  EXPECT_DOUBLE_EQ(summary.whole.max, 3);
  EXPECT_EQ(summary.within_limits, 0);
  EXPECT_EQ(summary.most_open, 1);  // the first one ends at 1.5, when the other has not been sent
}

TEST(Summary, TakesGoodRequestsWithinAllLimitsForGoodput) {
  std::vector<Result> results = {good(0, 5), good(0, 1), failed(0, "503")};
  const auto within = [&](const ServiceLimits& limits) {
    return summarize(results, Loop::Closed, limits, 0).within_limits;
  };
  EXPECT_EQ(within({}), 2);
  EXPECT_EQ(within({.first = 1.0, .gap = 0.5}), 2);
  EXPECT_EQ(within({.first = 0.9}), 0);
  EXPECT_EQ(within({.gap = 0.4}), 1);
  results[0].answer_tokens = 9;  // two tokens a piece
  EXPECT_EQ(within({.gap = 0.4}), 2);
}

TEST(Summary, OfNothingIsEmpty) {
  const Summary summary = summarize({}, Loop::Closed, {}, 0);
  EXPECT_EQ(summary.done + summary.failed + summary.cut, 0);
  EXPECT_THAT(text_of("t", summary), HasSubstr("0 done"));
  EXPECT_THAT(svg_of("t", {}, summary), HasSubstr("</svg>"));
}

TEST(Report, TellsFailuresTurnsAndWhoCounted) {
  std::vector<Result> results = {good(0, 5, 1), good(0, 5, 2), failed(1, "503")};
  const std::string text = text_of("a title", summarize(results, Loop::Closed, {.first = 2.0, .gap = 1.0}, 0.1));
  EXPECT_THAT(text, HasSubstr("a title\n"));
  EXPECT_THAT(text, HasSubstr("2 done, 1 failed (503: 1)"));
  EXPECT_THAT(text, HasSubstr("503: too <much>"));
  EXPECT_THAT(text, HasSubstr("of which 40% were cached"));
  EXPECT_THAT(text, HasSubstr("first text within 2000 ms and a token each 1000 ms on average: 2 of 3"));
  EXPECT_THAT(text, HasSubstr("first text, turn 2"));
  EXPECT_THAT(text, Not(HasSubstr("does not count")));
  results[0].counted = false;
  EXPECT_THAT(text_of("", summarize(results, Loop::Closed, {}, 0)),
              HasSubstr("pieces of text (the server does not count tokens)"));
}

TEST(Report, AsJsonHasEveryNumber) {
  const Json json =
      json_of("t", summarize(std::vector<Result>{good(0, 5, 1), good(0, 5, 2)}, Loop::Closed, {.first = 1.0}, 0.1));
  EXPECT_EQ(json["requests"]["done"], 2);
  EXPECT_EQ(json["first"]["p99"], 1.0);
  EXPECT_EQ(json["limits"]["first"], 1.0);
  EXPECT_TRUE(json["limits"]["per_token"].is_null());
  EXPECT_EQ(json["first_by_turn"]["2"]["count"], 1);
  EXPECT_EQ(json["own_cpu_seconds"], 0.1);
}

TEST(Report, AsPictureIsWellFormed) {
  const std::vector<Result> results = {good(0, 50), good(1, 5), failed(2, "503")};
  const std::string svg = svg_of("a <b> & c", results, summarize(results, Loop::Closed, {}, 0));
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_THAT(svg, HasSubstr("a &lt;b> &amp; c"));
  EXPECT_THAT(svg, HasSubstr("1000 ms"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  size_t curves = 0;
  for (size_t at = svg.find("<polyline"); at != std::string::npos; at = svg.find("<polyline", at + 1)) ++curves;
  EXPECT_EQ(curves, 5);
}

}  // namespace
}  // namespace cleave::load
