#include "server/live/guard.h"

#include <gtest/gtest.h>

namespace cleave::server {
namespace {

http::Request request(http::Headers headers, std::string path = "/v1/models", std::string method = "GET") {
  return {.method = std::move(method), .path = std::move(path), .headers = std::move(headers), .body = ""};
}

int status(const Guard& guard, const http::Request& request) {
  const auto failure = guard.refusal(request);
  return failure ? failure->status : 200;
}

TEST(Guard, WantsAKeyWhereThereAreKeys) {
  const Guard guard({.keys = {"one", "two"}});
  EXPECT_EQ(status(guard, request({})), 401);
  EXPECT_EQ(status(guard, request({{"authorization", "Bearer tw"}})), 401);
  EXPECT_EQ(status(guard, request({{"authorization", "Basic two"}})), 401);
  EXPECT_EQ(status(guard, request({{"authorization", "bearer two"}})), 200);
  EXPECT_EQ(status(guard, request({{"x-api-key", "one"}})), 200);
  EXPECT_EQ(status(guard, request({{"x-api-key", ""}})), 401);
  EXPECT_EQ(status(guard, request({{"host", "any.example"}, {"origin", "http://any.example"}, {"x-api-key", "one"}})),
            200);
}

TEST(Guard, LetsMonitorsInWithoutAKey) {
  const Guard guard({.keys = {"one"}});
  EXPECT_EQ(status(guard, request({}, "/health")), 200);
  EXPECT_EQ(status(guard, request({}, "/ready")), 200);
  EXPECT_EQ(status(guard, request({}, "/v1/messages", "OPTIONS")), 200);
  for (const char* path : {"/metrics", "/status", "/status/history", "/plan"})
    EXPECT_EQ(status(guard, request({}, path)), 401) << path;
}

TEST(Guard, ShowsThePageWithoutAKey) {
  const Guard guard({.keys = {"one"}});
  EXPECT_EQ(status(guard, request({}, "/")), 200);
  EXPECT_EQ(status(guard, request({}, "/page/app.js")), 200);
  EXPECT_EQ(status(guard, request({}, "/page/no-such-file")), 401);
  EXPECT_EQ(status(Guard({}), request({{"host", "evil.example"}}, "/")), 403);
}

TEST(Guard, KnowsThisMachineByItsNamesWhereItHasNoKeys) {
  const Guard guard({.hosts = {"box"}});
  for (const char* host : {"localhost:8080", "127.0.0.1", "[::1]:1", "a.localhost", "box:8080", ""})
    EXPECT_EQ(status(guard, request({{"host", host}})), 200) << host;
  for (const char* host : {"evil.example", "localhost.evil.example", "box.evil.example"})
    EXPECT_EQ(status(guard, request({{"host", host}})), 403) << host;
  EXPECT_EQ(status(Guard({.local = false}), request({{"host", "box"}})), 200);
}

TEST(Guard, RefusesPagesOfOtherOrigins) {
  const Guard guard({.origins = {"https://app.example"}});
  for (const char* origin : {"http://localhost:3000", "https://app.example", "http://127.0.0.1"})
    EXPECT_EQ(status(guard, request({{"host", "localhost"}, {"origin", origin}})), 200) << origin;
  for (const char* origin : {"http://evil.example", "null", "https://app.example.evil"})
    EXPECT_EQ(status(guard, request({{"host", "localhost"}, {"origin", origin}})), 403) << origin;
}

TEST(Guard, TellsBrowsersWhatTheyMaySend) {
  const Guard guard({});
  const http::Headers headers = guard.cors(request(
      {{"origin", "http://localhost"}, {"access-control-request-headers", "x-stainless-os"}}, "/v1/models", "OPTIONS"));
  EXPECT_EQ(headers[0].second, "http://localhost");
  EXPECT_EQ(headers[3].second, "x-stainless-os");
  EXPECT_TRUE(guard.cors(request({})).empty());
}

TEST(EqualInConstantTime, IsEqual) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abcabc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", ""));
}

}  // namespace
}  // namespace cleave::server
