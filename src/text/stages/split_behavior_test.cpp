#include "text/stages/split_behavior.h"

#include <gtest/gtest.h>

namespace cleave::text {
namespace {

using Texts = std::vector<std::string>;

// Splits at every dash.
Texts split_dashes(const std::string& text, SplitBehavior behavior, bool invert = false) {
  std::vector<Range> matches;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '-') matches.push_back({i, i + 1});
  std::vector<Range> parts;
  split_at(matches, text.size(), behavior, invert, parts);
  Texts found;
  for (const Range& part : parts) found.push_back(text.substr(part.begin, part.end - part.begin));
  return found;
}

// What the documentation of Hugging Face's tokenizers says of each behaviour.
TEST(SplitBehavior, TreatsMatchesAsNamed) {
  const std::string text = "the-final--countdown";
  EXPECT_EQ(split_dashes(text, SplitBehavior::Removed), (Texts{"the", "final", "countdown"}));
  EXPECT_EQ(split_dashes(text, SplitBehavior::Isolated), (Texts{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(split_dashes(text, SplitBehavior::MergedWithPrevious), (Texts{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(split_dashes(text, SplitBehavior::MergedWithNext), (Texts{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(split_dashes(text, SplitBehavior::Contiguous), (Texts{"the", "-", "final", "--", "countdown"}));
}

TEST(SplitBehavior, TreatsEndsLikeTheMiddle) {
  EXPECT_EQ(split_dashes("--a-", SplitBehavior::MergedWithPrevious), (Texts{"-", "-", "a-"}));
  EXPECT_EQ(split_dashes("-a--", SplitBehavior::MergedWithNext), (Texts{"-a", "-", "-"}));
  EXPECT_EQ(split_dashes("--a-", SplitBehavior::Contiguous), (Texts{"--", "a", "-"}));
  EXPECT_EQ(split_dashes("", SplitBehavior::Isolated), Texts{});
}

TEST(SplitBehavior, SwapsMatchesAndTextWhenInverted) {
  EXPECT_EQ(split_dashes("a-b--c", SplitBehavior::Removed, true), (Texts{"-", "-", "-"}));
  EXPECT_EQ(split_dashes("a-b-c", SplitBehavior::MergedWithNext, true), (Texts{"a-", "b-", "c"}));
}

}  // namespace
}  // namespace cleave::text
