#include "server/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cleave::server::page {
namespace {

using testing::HasSubstr;
using testing::Not;

http::Request get(std::string path, http::Headers headers = {}) {
  return {.method = "GET", .path = std::move(path), .headers = std::move(headers), .body = ""};
}

std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

TEST(Page, HasAFileForEachPathThatTheDocumentNames) {
  const auto document = response_to(get("/"));
  ASSERT_TRUE(document);
  EXPECT_EQ(document->status, 200);
  EXPECT_EQ(document->content_type, "text/html; charset=utf-8");
  EXPECT_THAT(document->body, HasSubstr("<script type=\"module\" src=\"page/app.js\"></script>"));
  for (const char* path : {"/page/app.js", "/page/style.css", "/page/icon.svg"}) {
    EXPECT_TRUE(response_to(get(path))) << path;
    EXPECT_THAT(document->body, HasSubstr(std::string_view(path).substr(1)));
  }
  EXPECT_EQ(response_to(get("/page/app.js"))->content_type, "text/javascript; charset=utf-8");
  for (const char* path : {"", "/page", "/page/", "/page/index.html", "/page/../page/app.js", "/index.html"})
    EXPECT_FALSE(response_to(get(path))) << path;
}

TEST(Page, NamesNothingOutsideOfTheServer) {
  for (const File& file : files()) {
    EXPECT_FALSE(file.text.empty()) << file.path;
    for (const char* outside : {"innerHTML", "insertAdjacentHTML", "document.write", "eval(", "@import", "srcdoc"})
      EXPECT_THAT(file.text, Not(HasSubstr(outside))) << file.path;
  }
  EXPECT_THAT(find_file("/")->text, Not(HasSubstr("style=\"")));
  EXPECT_THAT(find_file("/")->text, Not(HasSubstr("//")));
}

TEST(Page, ForbidsWhatIsNotItsOwn) {
  for (const File& file : files()) {
    const auto response = response_to(get(std::string(file.path)));
    const std::string policy = header(*response, "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self'; style-src 'self';")) << file.path;
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_EQ(header(*response, "X-Content-Type-Options"), "nosniff");
  }
}

TEST(Page, IsSentAgainOnlyWhereItHasChanged) {
  std::set<std::string_view> tags;
  for (const File& file : files()) {
    tags.insert(file.tag);
    const std::string path(file.path), tag(file.tag);
    EXPECT_EQ(header(*response_to(get(path)), "ETag"), tag);
    EXPECT_EQ(header(*response_to(get(path)), "Cache-Control"), "no-cache");
    for (const std::string& given : {tag, "W/" + tag, "\"other\", " + tag}) {
      const auto response = response_to(get(path, {{"if-none-match", given}}));
      EXPECT_EQ(response->status, 304) << given;
      EXPECT_EQ(response->body, "");
      EXPECT_EQ(header(*response, "ETag"), tag);
    }
    EXPECT_EQ(response_to(get(path, {{"if-none-match", "\"0000000000000000\""}}))->status, 200);
  }
  EXPECT_EQ(tags.size(), files().size());
}

}  // namespace
}  // namespace cleave::server::page
