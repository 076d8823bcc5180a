#include "server/api/string_member.h"

#include <gtest/gtest.h>

namespace cleave::server::api {
namespace {

// The text of "input" in an object that arrives in pieces of a size.
std::string read(std::string_view json, size_t size) {
  StringMember member("input");
  std::string text;
  for (size_t at = 0; at < json.size(); at += size) text += member.feed(json.substr(at, size));
  return text;
}

TEST(StringMember, GivesTheSameTextHoweverItIsCut) {
  for (size_t size = 1; size < 30; ++size) {
    EXPECT_EQ(read(R"({"input": "a\n\"b\"\\ \u00e9\ud83d\ude00é", "more": "c"})", size), "a\n\"b\"\\ é\U0001F600é");
    EXPECT_EQ(read(R"( { "input" : "" })", size), "");
    EXPECT_EQ(read(R"({"other": "a"})", size), "");
    EXPECT_EQ(read(R"({"input": 5})", size), "");
  }
}

TEST(StringMember, GivesWhatIsCertainOfACutText) {
  EXPECT_EQ(read(R"({"input": "ab\)", 3), "ab");
  EXPECT_EQ(read(R"({"input": "ab\u00e)", 3), "ab");
  EXPECT_EQ(read(R"({"input": "ab\ud83d\u)", 3), "ab");
  StringMember member("input");
  EXPECT_FALSE(member.begun());
  EXPECT_EQ(member.feed(R"({"input": "x)"), "x");
  EXPECT_TRUE(member.begun());
}

TEST(StringMember, SurvivesWhatIsNoJson) {
  EXPECT_EQ(read(R"({"input": "a\qb\uzzzzc\ud83dxxxxxxd")", 2), "abcd");
}

}  // namespace
}  // namespace cleave::server::api
