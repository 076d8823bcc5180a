#include "server/http/request_reader.h"

#include <gtest/gtest.h>

namespace cleave::server::http {
namespace {

using State = RequestReader::State;

struct Outcome {
  State state;
  Request request;
  int status;
  std::string left;  // of the input
};

// Reads a text that arrives in pieces of `size` bytes.
Outcome read(const std::string& text, size_t size, Limits limits = {}) {
  RequestReader reader(limits);
  std::string input;
  for (size_t i = 0; i < text.size(); i += size) {
    input += text.substr(i, size);
    for (size_t before = input.size() + 1; input.size() < before;) {
      before = input.size();
      const State was = reader.state(), state = reader.read(input);
      if (state == State::Failed) return {state, reader.head(), reader.status(), input};
      if (state == State::Complete)
        return {state, reader.take(), 200, input + text.substr(std::min(text.size(), i + size))};
      if (was != state) before = input.size() + 1;
    }
  }
  return {reader.state(), {}, 0, input};
}

TEST(RequestReader, ReadsRequestsHoweverTheyAreCut) {
  const std::string text =
      "POST //v1/completions/?beta=true HTTP/1.1\r\nHost: a\r\nX-Api-KEY: b c\r\nContent-Length: 5\r\n\r\nhelloGET /";
  for (const size_t size : {1, 2, 7, 1000}) {
    const Outcome outcome = read(text, size);
    ASSERT_EQ(outcome.state, State::Complete);
    EXPECT_EQ(outcome.request.method, "POST");
    EXPECT_EQ(outcome.request.path, "/v1/completions");
    EXPECT_EQ(outcome.request.header("x-api-key"), "b c");
    EXPECT_EQ(outcome.request.header("absent"), "");
    EXPECT_EQ(outcome.request.body, "hello");
    EXPECT_TRUE(outcome.request.keep_alive);
    EXPECT_EQ(outcome.left, "GET /");
  }
}

TEST(RequestReader, ReadsBodiesInChunks) {
  const std::string text =
      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
  for (const size_t size : {1, 3, 1000}) EXPECT_EQ(read(text, size).request.body, "abcde");
}

TEST(RequestReader, KnowsHttp10AndWhoClosesTheConnection) {
  EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n", 100).request.version, 10);
  EXPECT_FALSE(read("GET / HTTP/1.0\r\n\r\n", 100).request.keep_alive);
  EXPECT_FALSE(read("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 100).request.keep_alive);
}

TEST(RequestReader, RefusesWhatExceedsALimitOrIsNoRequest) {
  const Limits limits{.header_bytes = 256, .body_bytes = 10};
  const auto status = [&](const std::string& text) { return read(text, 50, limits).status; };
  EXPECT_EQ(status("POST /v1/messages HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), 413);
  EXPECT_EQ(read("POST /v1/messages HTTP/1.1\r\nContent-Length: 11\r\n\r\n", 100, limits).request.path, "/v1/messages");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n"),
            413);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nX: " + std::string(300, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(status("GET /" + std::string(1000, 'x')), 431);
  EXPECT_EQ(status("\x16\x03\x01 this is TLS\r\n\r\n"), 400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400);
}

TEST(RequestReader, SaysWhenAClientWaitsBeforeItsBody) {
  RequestReader reader({});
  std::string input = "POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
  EXPECT_EQ(reader.read(input), State::Body);
  EXPECT_TRUE(reader.expects_continue());
}

}  // namespace
}  // namespace cleave::server::http
