#include "unicode/utf8.h"

#include <gtest/gtest.h>

namespace cleave::unicode {
namespace {

TEST(Utf8, ReplacesEachMaximalSubpartOnce) {
  EXPECT_EQ(sanitize_utf8("plain é 東 😀"), "plain é 東 😀");
  EXPECT_EQ(sanitize_utf8("\xF0\x9F\x98"
                          "a"),
            "\uFFFDa");                                                      // three bytes of four
  EXPECT_EQ(sanitize_utf8("\xC0\xAF"), "\uFFFD\uFFFD");                      // overlong slash
  EXPECT_EQ(sanitize_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // surrogate
  EXPECT_EQ(sanitize_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(sanitize_utf8("\x80long enough to be read by words\xFF"), "\uFFFDlong enough to be read by words\uFFFD");
  EXPECT_EQ(sanitize_utf8("\xE2\x82"), "\uFFFD");
}

TEST(Utf8, KnowsHowManyBytesBeginACharacterAtTheEnd) {
  EXPECT_EQ(unfinished_suffix(""), 0u);
  EXPECT_EQ(unfinished_suffix("a"), 0u);
  EXPECT_EQ(unfinished_suffix("é"), 0u);
  EXPECT_EQ(unfinished_suffix("a\xC3"), 1u);
  EXPECT_EQ(unfinished_suffix("a\xE2\x82"), 2u);
  EXPECT_EQ(unfinished_suffix("a\xF0\x9F\x98"), 3u);
  EXPECT_EQ(unfinished_suffix("a\xFF"), 0u);     // begins nothing
  EXPECT_EQ(unfinished_suffix("\xE0\x80"), 0u);  // overlong, can never be completed
  EXPECT_EQ(unfinished_suffix("\x98\x98"), 0u);
}

TEST(Utf8, WritesWhatItReads) {
  for (const char32_t code : {U'\0', U'\x7F', U'\x80', U'\u07FF', U'\u0800', U'\uFFFF', U'\U00010000', U'\U0010FFFF'}) {
    std::string text;
    append_utf8(text, code);
    EXPECT_TRUE(is_utf8(text));
    EXPECT_EQ(utf8_at(text, 0).code, code);
    EXPECT_EQ(utf8_at(text, 0).size, text.size());
  }
  std::string surrogate;
  append_utf8(surrogate, 0xD800);
  EXPECT_EQ(surrogate, "\uFFFD");
}

}  // namespace
}  // namespace cleave::unicode
