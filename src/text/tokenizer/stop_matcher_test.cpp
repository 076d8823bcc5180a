#include "text/tokenizer/stop_matcher.h"

#include <gtest/gtest.h>

namespace cleave::text {
namespace {

// What is shown when the text comes in pieces of `size` bytes.
std::string shown(const std::vector<std::string>& stops, const std::string& text, size_t size) {
  StopMatcher matcher(stops);
  std::string all;
  for (size_t i = 0; i < text.size(); i += size) all += matcher.push(text.substr(i, size));
  return all + matcher.flush() + (matcher.stopped() ? "|" : "");
}

TEST(StopMatcher, StopsAcrossPiecesOfAnySize) {
  for (const size_t size : {1, 2, 3, 5, 100}) {
    EXPECT_EQ(shown({"END"}, "the END of it", size), "the |");
    EXPECT_EQ(shown({"aab"}, "aaaab", size), "aa|");
    EXPECT_EQ(shown({"abab"}, "xababab", size), "x|");
    EXPECT_EQ(shown({"never"}, "the END nev", size), "the END nev");
    EXPECT_EQ(shown({"xabc", "ab"}, "xabc", size), "x|");
    EXPECT_EQ(shown({"b", "ab"}, "xab", size), "x|");
    EXPECT_EQ(shown({}, "text", size), "text");
    EXPECT_EQ(shown({"", "t"}, "text", size), "|");
  }
}

TEST(StopMatcher, HoldsBackOnlyWhatMayBeginAStopString) {
  StopMatcher matcher({"\n\nUser:"});
  EXPECT_EQ(matcher.push("Hello\n"), "Hello");
  EXPECT_EQ(matcher.push("world\n\nUs"), "\nworld");
  EXPECT_EQ(matcher.push("ed"), "\n\nUsed");
  EXPECT_EQ(matcher.push(" \n\nUser: x"), " ");
  EXPECT_TRUE(matcher.stopped());
  EXPECT_EQ(matcher.push("more"), "");
  EXPECT_EQ(matcher.flush(), "");
}

}  // namespace
}  // namespace cleave::text
