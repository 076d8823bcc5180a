#include "server/http/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace cleave::server::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// What passes between a client and a connection, in a test's hands.
struct Wire {
  std::function<void(size_t)> read;  // of a read under way
  std::span<char> into;
  std::function<void(bool)> written;  // of a write under way
  std::string output;
  bool ended = false, closed = false;
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(Wire& wire) : wire_(wire) {}
  void read(std::span<char> into, std::function<void(size_t)> done) override {
    wire_.into = into;
    wire_.read = std::move(done);
  }
  void write(std::string_view bytes, std::function<void(bool)> done) override {
    wire_.output += bytes;
    wire_.written = std::move(done);
  }
  void end_writing() override { wire_.ended = true; }
  void close() override {
    wire_.closed = true;
    wire_.read = nullptr;
    wire_.written = nullptr;
  }

 private:
  Wire& wire_;
};

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    handlers_.check = [this](const Request&) { return refusal_; };
    handlers_.handle = [this](Request request, Reply reply) {
      requests_.push_back(std::move(request));
      replies_.push_back(std::move(reply));
    };
    handlers_.refuse = [](const Request&, int status, const std::string& problem) {
      return Response{.status = status, .body = problem};
    };
    connection_ = std::make_shared<Connection>(std::make_unique<FakeTransport>(wire_), limits_, handlers_);
    connection_->run();
  }
  ~ConnectionTest() override { connection_->close(); }

  void say(std::string_view text) {
    while (!text.empty() && wire_.read) {
      const size_t count = std::min(text.size(), wire_.into.size());
      std::copy_n(text.begin(), count, wire_.into.begin());
      text.remove_prefix(count);
      std::exchange(wire_.read, nullptr)(count);
    }
  }
  void hang_up() { std::exchange(wire_.read, nullptr)(0); }
  // The client takes all that is written.
  void drain() {
    while (wire_.written) std::exchange(wire_.written, nullptr)(true);
  }
  std::string take_output() {
    drain();
    return std::exchange(wire_.output, {});
  }

  Limits limits_;
  Handlers handlers_;
  std::optional<Response> refusal_;
  std::vector<Request> requests_;
  std::vector<Reply> replies_;
  Wire wire_;
  std::shared_ptr<Connection> connection_;
};

constexpr std::string_view kGet = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ConnectionTest, AnswersRequestsOfOneConnectionInTheirOrder) {
  say(std::string(kGet) + std::string(kGet));
  ASSERT_EQ(requests_.size(), 1U);  // the second waits for the first one's reply
  replies_[0].send({.body = "one"});
  EXPECT_THAT(take_output(), StartsWith("HTTP/1.1 200 OK\r\n"));
  ASSERT_EQ(requests_.size(), 2U);
  replies_[1].send({.status = 404, .body = "two"});
  EXPECT_THAT(take_output(), testing::AllOf(HasSubstr("404 Not Found"), HasSubstr("Content-Length: 3\r\n\r\ntwo")));
  EXPECT_FALSE(wire_.closed);
}

TEST_F(ConnectionTest, StreamsInChunks) {
  say(kGet);
  replies_[0].start(200, {{"Content-Type", "text/event-stream"}});
  replies_[0].write("data: 1\n\n");
  replies_[0].finish();
  EXPECT_THAT(take_output(), HasSubstr("Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n"));
  EXPECT_TRUE(replies_[0].over());
}

TEST_F(ConnectionTest, StreamsToHttp10UntilTheConnectionEnds) {
  say("GET / HTTP/1.0\r\n\r\n");
  replies_[0].start(200, {});
  replies_[0].write("data: 1\n\n");
  replies_[0].finish();
  EXPECT_THAT(take_output(), HasSubstr("Connection: close\r\n\r\ndata: 1\n\n"));
  EXPECT_TRUE(wire_.ended);
}

TEST_F(ConnectionTest, NoticesThatTheClientHasLeftWhileItsAnswerIsComputed) {
  say(kGet);
  bool gone = false;
  replies_[0].on_gone([&] { gone = true; });
  hang_up();
  EXPECT_TRUE(gone);
  EXPECT_TRUE(replies_[0].over());
  replies_[0].send({.body = "too late"});  // does nothing
  EXPECT_EQ(wire_.output, "");
}

TEST_F(ConnectionTest, TellsWhenASlowClientHasTakenAll) {
  say(kGet);
  int drained = 0;
  replies_[0].start(200, {});
  replies_[0].on_drained([&] { ++drained; });
  replies_[0].write(std::string(100'000, 'x'));
  EXPECT_GT(replies_[0].backlog(), 100'000U);
  EXPECT_LE(wire_.output.size(), 65'536U);  // no more at a time
  drain();
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(replies_[0].backlog(), 0U);
}

TEST_F(ConnectionTest, SaysContinueToClientsThatWaitForIt) {
  say("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(take_output(), "HTTP/1.1 100 Continue\r\n\r\n");
  say("ab");
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].body, "ab");
}

TEST_F(ConnectionTest, RefusesBeforeTheBodyAndReadsOnForAWhile) {
  refusal_ = Response{.status = 401, .body = "no"};
  say("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nabc");
  EXPECT_THAT(take_output(), HasSubstr("401 Unauthorized"));
  EXPECT_TRUE(wire_.ended);
  say(std::string(500'000, 'x'));  // thrown away
  EXPECT_FALSE(wire_.closed);
  connection_->check_time(Connection::Clock::now() + limits_.lingering_time + std::chrono::seconds(1));
  EXPECT_TRUE(wire_.closed);
  EXPECT_TRUE(requests_.empty());
}

TEST_F(ConnectionTest, EndsWhatTakesTooLong) {
  say("POST / HT");
  connection_->check_time(Connection::Clock::now() + limits_.header_time - std::chrono::seconds(1));
  EXPECT_EQ(wire_.output, "");
  connection_->check_time(Connection::Clock::now() + limits_.header_time + std::chrono::seconds(1));
  EXPECT_THAT(take_output(), HasSubstr("408 Request Timeout"));
}

TEST_F(ConnectionTest, EndsAStreamThatNobodyReads) {
  say(kGet);
  bool gone = false;
  replies_[0].on_gone([&] { gone = true; });
  replies_[0].start(200, {});
  connection_->check_time(Connection::Clock::now() + limits_.stall_time + std::chrono::seconds(1));
  EXPECT_TRUE(gone);
  EXPECT_TRUE(wire_.closed);
}

TEST_F(ConnectionTest, ClosesBehindTheAnswerWhereTheServerEnds) {
  say(kGet);
  connection_->close_when_idle();
  EXPECT_FALSE(wire_.closed);
  replies_[0].send({.body = "last"});
  EXPECT_THAT(take_output(), HasSubstr("Connection: close"));
  EXPECT_TRUE(wire_.ended);
}

TEST_F(ConnectionTest, AnswersHeadWithoutABody) {
  say("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n");
  replies_[0].send({.body = "text"});
  const std::string output = take_output();
  EXPECT_THAT(output, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_TRUE(output.ends_with("\r\n\r\n"));
}

TEST(HeadOf, KeepsAValueInItsLine) {
  EXPECT_EQ(head_of(200, {{"x-request-id", "a\r\nSet-Cookie: b"}}),
            "HTTP/1.1 200 OK\r\nx-request-id: a  Set-Cookie: b\r\n\r\n");
}

}  // namespace
}  // namespace cleave::server::http
