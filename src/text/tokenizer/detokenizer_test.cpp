#include "text/tokenizer/detokenizer.h"

#include <gtest/gtest.h>

#include "unicode/utf8.h"

namespace cleave::text {
namespace {

TEST(Utf8Stream, NeverGivesHalfACharacter) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("a\xF0"), "a");
  EXPECT_EQ(stream.push("\x9F\x98"), "");
  EXPECT_EQ(stream.push("\x80!"), "😀!");
  EXPECT_EQ(stream.flush(), "");
}

TEST(Utf8Stream, ReplacesBytesOnlyWhenTheyAreCertainlyWrong) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("\xE2"), "");
  EXPECT_EQ(stream.push("\x82"), "");
  EXPECT_EQ(stream.push("x\xFF"), "\uFFFDx\uFFFD");
  EXPECT_EQ(stream.push("\xC3"), "");
  EXPECT_EQ(stream.flush(), "\uFFFD");
  EXPECT_EQ(stream.flush(), "");
}

TEST(Utf8Stream, GivesWhatTheWholeTextGivesForEveryCut) {
  const std::string bytes = "a\xF0\x9F\x98\x80\xC3\xE2\x82z\xED\xA0\x80\xF4\x8F\xBF\xBF\xF0\x80";
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    Utf8Stream stream;
    std::string text = stream.push(bytes.substr(0, cut));
    EXPECT_TRUE(unicode::is_utf8(text));
    text += stream.push(bytes.substr(cut));
    text += stream.flush();
    EXPECT_EQ(text, unicode::sanitize_utf8(bytes)) << cut;
  }
}

}  // namespace
}  // namespace cleave::text
