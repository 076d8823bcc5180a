#include "load/exchange.h"

#include <gtest/gtest.h>

#include <memory>

namespace cleave::load {
namespace {

constexpr std::string_view kStreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n";

std::string event(const std::string& data) {
  return "data: " + data + "\n\n";
}

std::unique_ptr<Exchange> answered(const std::string& bytes) {
  auto exchange = std::make_unique<Exchange>(Job(), 0);
  exchange->received(bytes, 1);
  exchange->ended("", 2);
  return exchange;
}

std::string outcome_of(const std::string& bytes) {
  const auto exchange = answered(bytes);
  EXPECT_TRUE(exchange->over());
  return exchange->result().outcome + ": " + exchange->result().problem;
}

TEST(Exchange, TimesTheTextOfAChat) {
  Exchange exchange({.turn = 3}, 10);
  exchange.received(kStreamHead, 11);
  exchange.received(event(R"({"choices":[{"delta":{"role":"assistant","content":""}}],"usage":null})"), 12);
  exchange.received(": ping\n\n" + event(R"({"choices":[{"delta":{"content":"He"}}]})"), 13);
  exchange.received(event(R"({"choices":[{"delta":{"content":"llo"}}]})"), 13.5);
  exchange.received(event(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})"), 14);
  exchange.received(
      event(
          R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":5}}})"),
      14);
  EXPECT_FALSE(exchange.over());
  exchange.received(event("[DONE]"), 15);
  ASSERT_TRUE(exchange.over());
  exchange.ended("broken", 16);
  const Result& result = exchange.result();
  EXPECT_TRUE(result.good());
  EXPECT_EQ(exchange.text(), "Hello");
  EXPECT_EQ(result.begin, 10);
  EXPECT_EQ(result.first, 13);
  EXPECT_EQ(result.gaps, std::vector<float>{0.5F});
  EXPECT_EQ(result.end, 15);
  EXPECT_TRUE(result.counted);
  EXPECT_EQ(result.prompt_tokens, 7);
  EXPECT_EQ(result.cached_tokens, 5);
  EXPECT_EQ(result.answer_tokens, 4);
  EXPECT_EQ(result.turn, 3);
}

TEST(Exchange, IsTimedFromWhenItWasDue) {
  Exchange late({.due = 4.0}, 10), at_once({}, 10);
  for (Exchange* exchange : {&late, &at_once}) exchange->received(kStreamHead, 11);
  EXPECT_EQ(late.result().begin, 4);
  EXPECT_EQ(at_once.result().begin, 10);
  EXPECT_EQ(late.result().sent, 10);
  EXPECT_EQ(at_once.result().sent, 10);
}

TEST(Exchange, CountsPiecesWhereTheServerCountsNothing) {
  const auto exchange = answered(std::string(kStreamHead) + event(R"({"choices":[{"text":"a"}]})") +
                                 event(R"({"choices":[{"text":"b","finish_reason":"length"}]})"));
  EXPECT_TRUE(exchange->result().good());
  EXPECT_FALSE(exchange->result().counted);
  EXPECT_EQ(exchange->result().answer_tokens, 2);
  EXPECT_EQ(exchange->text(), "ab");
}

TEST(Exchange, SeesReasoningAndCallsComing) {
  const std::string head(kStreamHead);
  for (const char* delta : {R"({"reasoning_content":"x"})", R"({"reasoning":"x"})", R"({"tool_calls":[{"index":0}]})"})
    EXPECT_EQ(answered(head + event(std::string(R"({"choices":[{"delta":)") + delta + "}]}"))->result().first, 1)
        << delta;
}

TEST(Exchange, NamesWhatWentWrong) {
  const std::string head(kStreamHead);
  EXPECT_EQ(outcome_of("HTTP/1.1 401 No\r\nContent-Length: 37\r\n\r\n{\"error\":{\"message\":\"a key, please\"}}"),
            "401: a key, please");
  EXPECT_EQ(outcome_of("HTTP/1.1 404 No\r\n\r\n<html>\n"), "404: <html>\\x0a");
  EXPECT_EQ(outcome_of("HTTP/1.1 503 No\r\n\r\n{\"detail\":\"busy\"}"), "503: busy");
  EXPECT_EQ(outcome_of("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"),
            "no stream: it answers with text/html in place of a stream");
  EXPECT_EQ(outcome_of(head + event(R"({"error":{"message":"out of memory"}})")), "error in a stream: out of memory");
  EXPECT_EQ(outcome_of(head + event(R"({"choices":[{"text":"a"}]})")), "cut stream: the stream ended within an answer");
  EXPECT_EQ(outcome_of(""), "no answer: it closes the connection without an answer");
  EXPECT_TRUE(outcome_of(head + event("{")).starts_with("bad answer: an event of the stream: not valid JSON"));
  EXPECT_TRUE(outcome_of(head + event(std::string(1000, '['))).starts_with("bad answer"));
  EXPECT_TRUE(outcome_of(head + "data: " + std::string(2 << 20, 'x')).starts_with("bad answer"));
  Exchange exchange({}, 0);
  exchange.ended("cannot connect: refused", 1);
  EXPECT_EQ(exchange.result().outcome, "no connection");
}

TEST(Exchange, IsOverAtItsEndWhateverFollows) {
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(answered(chunked + "e\r\ndata: [DONE]\n\n\r\nno chunk\r\n")->result().good());
  EXPECT_TRUE(answered(std::string(kStreamHead) + event("[DONE]") + event("{"))->result().good());
}

TEST(Exchange, TakesAnyJsonForWhatItIs) {
  const std::string head(kStreamHead);
  for (const char* data :
       {"1", "[]", "null", R"({"choices":3})", R"({"choices":[1,null,{"delta":[]}]})", R"({"usage":7})",
        R"({"choices":[{"text":5,"finish_reason":9}],"usage":{"prompt_tokens":-1,"completion_tokens":"x"}})"})
    EXPECT_TRUE(answered(head + event(data) + event("[DONE]"))->result().good()) << data;
}

}  // namespace
}  // namespace cleave::load
