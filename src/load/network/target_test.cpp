#include "load/network/target.h"

#include <gtest/gtest.h>

#include "base/testing/error_of.h"

namespace cleave::load {
namespace {

std::string shown(std::string_view url) {
  const Target target = parse_target(url);
  return (target.tls ? "tls " : "") + target.authority() + target.base;
}

TEST(Target, IsReadFromUrlsWithAndWithoutVersion) {
  EXPECT_EQ(shown("http://127.0.0.1:8080"), "127.0.0.1:8080");
  EXPECT_EQ(shown("localhost:8000/v1/"), "localhost:8000");
  EXPECT_EQ(shown("https://example.org/proxy/v1"), "tls example.org:443/proxy");
  EXPECT_EQ(shown("http://[::1]:99/"), "[::1]:99");
  EXPECT_EQ(parse_target("http://[::1]:99").host, "::1");
  EXPECT_EQ(parse_target("unix:/run/a b.sock").unix_socket, "/run/a b.sock");
  EXPECT_EQ(parse_target("unix:/run/a.sock").authority(), "localhost");
}

TEST(Target, IsRefusedWhereAUrlIsNone) {
  for (const char* url :
       {"", "http://", "http://:80", "http://a:0", "http://a:70000", "http://a:x", "ftp://a", "http://user@a",
        "http://a/?x", "http://a b", "http://a\r\nX: y", "http://[::1", "http://[::1]9", "unix:"})
    EXPECT_NE(error_of(ErrorKind::InvalidArgument, [&] { parse_target(url); }).find("wanted http://HOST:PORT"),
              std::string::npos)
        << url;
}

TEST(RequestBytes, AreAWholeRequest) {
  const Target target = parse_target("http://a:1/x/v1");
  EXPECT_EQ(request_bytes(target, "POST", "/v1/y", "secret", "{}"),
            "POST /x/v1/y HTTP/1.1\r\nHost: a:1\r\nUser-Agent: cleave\r\nAccept: */*\r\nConnection: close\r\n"
            "Authorization: Bearer secret\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(request_bytes(target, "GET", "/health", "", ""),
            "GET /x/health HTTP/1.1\r\nHost: a:1\r\nUser-Agent: cleave\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  error_of(ErrorKind::InvalidArgument, [&] { request_bytes(target, "GET", "/", "a\r\nX: y", ""); });
}

}  // namespace
}  // namespace cleave::load
