#include "load/network/response_reader.h"

#include <gtest/gtest.h>

namespace cleave::load {
namespace {

using State = ResponseReader::State;

struct Read {
  State state;
  std::string body, problem;
};

Read read(std::string_view text, size_t size, bool end = false) {
  ResponseReader reader;
  std::string body;
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    reader.push(text.substr(0, size));
    if (reader.state() != State::Head) body += reader.take_body();
  }
  if (end) reader.end();
  return {reader.state(), body, reader.problem()};
}

TEST(ResponseReader, ReadsBodiesOfEveryFormHoweverTheyAreCut) {
  const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  const std::string chunks =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n";
  const std::string open = "HTTP/1.0 200 OK\r\n\r\nhello";
  for (const size_t size : {1, 2, 3, 5, 1000}) {
    for (const std::string& text : {length, chunks}) {
      const Read got = read(text, size);
      EXPECT_EQ(got.state, State::Complete) << size << text;
      EXPECT_EQ(got.body, "hello") << size << text;
    }
    EXPECT_EQ(read(open, size).state, State::Body);
    EXPECT_EQ(read(open, size, true).state, State::Complete);
    EXPECT_EQ(read(open, size, true).body, "hello");
  }
}

TEST(ResponseReader, KnowsStatusAndTypeBeforeTheBody) {
  ResponseReader reader;
  EXPECT_EQ(reader.push("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n"), State::Body);
  EXPECT_EQ(reader.status(), 404);
  EXPECT_EQ(reader.content_type(), "text/html");
}

TEST(ResponseReader, SaysWhatIsWrong) {
  EXPECT_EQ(read("", 1, true).problem, "it closes the connection without an answer");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", 99, true).problem,
            "it closes the connection within its answer");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", 99, true).problem,
            "it closes the connection within its answer");
  EXPECT_NE(read("SSH-2.0-OpenSSH\r\n\r\n", 99).problem.find("its answer is no HTTP"), std::string::npos);
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\n", 99).problem, "it answers 100, which nobody has asked for");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nX: " + std::string(100 << 10, 'x'), 1000).state, State::Failed);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(100 << 10, 'x'), 1000).state,
            State::Failed);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 99).state, State::Failed);
}

}  // namespace
}  // namespace cleave::load
