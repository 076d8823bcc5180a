#include "text/pattern/pattern.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/pattern/pattern_syntax.h"

namespace cleave::text {
namespace {

std::vector<std::string> matches(const Pattern& pattern, const std::string& text) {
  Pattern::Finder finder(pattern);
  std::vector<Range> ranges;
  finder.find_all(text, ranges);
  std::vector<std::string> found;
  for (const Range& range : ranges) found.push_back(text.substr(range.begin, range.end - range.begin));
  return found;
}

std::vector<std::string> regex(const std::string& expression, const std::string& text) {
  return matches(Pattern::regex(expression, "test"), text);
}

using Texts = std::vector<std::string>;

TEST(Pattern, KnowsUnicodeClasses) {
  EXPECT_EQ(regex(R"(\p{L}+|\p{N}+)", "naïve 東京 ½٣ x"), (Texts{"naïve", "東京", "½٣", "x"}));
  EXPECT_EQ(regex(R"((?i:'s|'t))", "it'S don't"), (Texts{"'S", "'t"}));
  EXPECT_EQ(regex(R"(\s+(?!\S)|\s+)", "a  b \u3000\n"), (Texts{" ", " ", " \u3000\n"}));
}

// U+180E is white space to PCRE2 and not to Oniguruma.
TEST(Pattern, CountsAsWhiteSpaceWhatUnicodeDoes) {
  EXPECT_EQ(regex(R"(\s)", "\u180E\u200B\u0085\u00A0"), (Texts{"\u0085", "\u00A0"}));
  EXPECT_EQ(regex(R"(\S)", "\u180E\u00A0"), (Texts{"\u180E"}));
  EXPECT_EQ(regex(R"([^\s]+)", "a\u180Eb c"), (Texts{"a\u180Eb", "c"}));
  EXPECT_EQ(regex(R"([\S\n]+)", "a\u180E\nb c"), (Texts{"a\u180E\nb", "c"}));
}

TEST(Pattern, CountsMarksAsPartsOfWords) {
  EXPECT_EQ(regex(R"(\w+)", "e\u0301a हिन्दी-x"), (Texts{"e\u0301a", "हिन्दी", "x"}));
  EXPECT_EQ(regex(R"(\W+)", "e\u0301a-x"), (Texts{"-"}));
  EXPECT_EQ(regex(R"(a\b)", "a\u0301 a"), (Texts{"a"}));
}

TEST(Pattern, CountsTheNumbersOfLatin1AsWordsOutsideBracketsOnly) {
  EXPECT_EQ(regex(R"(\w+)", "x½②"), (Texts{"x½"}));
  EXPECT_EQ(regex(R"([\w-]+)", "x½"), (Texts{"x"}));
  EXPECT_EQ(regex(R"(a\b)", "a½ a②"), (Texts{"a"}));
}

TEST(Pattern, KnowsPosixClassesAndLongNamesOfProperties) {
  EXPECT_EQ(regex("[[:punct:]]+", "a+€。b"), (Texts{"+€。"}));
  EXPECT_EQ(regex("[[:alpha:]]+", "aⅧ1"), (Texts{"aⅧ"}));
  EXPECT_EQ(regex("[[:space:]]", "\u180E\u00A0"), (Texts{"\u00A0"}));
  EXPECT_EQ(regex(R"(\P{Punct}+)", "a+b-c"), (Texts{"a+b", "c"}));
  EXPECT_EQ(regex(R"(\p{Letter}+|\p{^Decimal_Number})", "ab1-"), (Texts{"ab", "-"}));
  EXPECT_EQ(regex(R"(\p{Han}+)", "東、京"), (Texts{"東", "京"}));
}

TEST(Pattern, FollowsRubyWhereItDiffersFromPerl) {
  EXPECT_EQ(regex(R"(\h+)", "12 aF g"), (Texts{"12", "aF"}));
  EXPECT_EQ(regex(R"(\u00e9)", "é"), (Texts{"é"}));
  EXPECT_EQ(regex(R"((?m:.+))", "a\nb"), (Texts{"a\nb"}));
  EXPECT_EQ(regex(R"(.+)", "a\nb"), (Texts{"a", "b"}));
  EXPECT_EQ(regex(R"(^b$)", "a\nb\nc"), (Texts{"b"}));
  EXPECT_EQ(regex(R"(\p{N}{1,3}+)", "12345"), (Texts{"12345"}));
  EXPECT_EQ(regex(R"((?:ab){2}+c)", "ababababc"), (Texts{"ababababc"}));
  EXPECT_EQ(regex(R"(a{,2}b)", "aab"), (Texts{"aab"}));
  EXPECT_EQ(regex(R"(\p{L}++a|b)", "aab"), (Texts{"b"}));
}

TEST(Pattern, KnowsNestedAndIntersectedClasses) {
  EXPECT_EQ(regex(R"([a-z&&[^aeiou]]+)", "hello world"), (Texts{"h", "ll", "w", "rld"}));
  EXPECT_EQ(regex(R"([\p{L}&&[^\p{Han}]]+)", "ab東c"), (Texts{"ab", "c"}));
  EXPECT_EQ(regex(R"([a[0-9]_]+)", "ab0_9c"), (Texts{"a", "0_9"}));
  EXPECT_EQ(regex(R"([^a[0-9]]+)", "ab0_9c"), (Texts{"b", "_", "c"}));
  EXPECT_EQ(regex(R"([\W]+|[^\W]+)", "ab -c"), (Texts{"ab", " -", "c"}));
  EXPECT_EQ(regex(R"([a-c&&b-d&&[^c]]{1,2}+x)", "bbx"), (Texts{"bbx"}));
  EXPECT_EQ(regex(R"([[:alpha:]]+)", "a1b"), (Texts{"a", "b"}));
  EXPECT_EQ(regex(R"([a&&b])", "ab"), (Texts{}));
}

TEST(Pattern, SkipsAnEmptyMatchRightBehindAMatch) {
  EXPECT_EQ(regex("x*", "axxé"), (Texts{"", "xx", ""}));
  EXPECT_EQ(regex("", "é"), (Texts{"", ""}));
}

TEST(Pattern, TakesALiteralAsItStands) {
  EXPECT_EQ(matches(Pattern::literal("a.", "test"), "ab a. a."), (Texts{"a.", "a."}));
}

TEST(Pattern, NamesWhatItCannotCompile) {
  for (const char* expression : {"(", "[a", "a**{", "\\p{Nonsense}"}) {
    try {
      Pattern::regex(expression, "file: place");
      ADD_FAILURE() << expression;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Unsupported) << expression;
      EXPECT_EQ(std::string(error.what()).rfind("file: place: the pattern", 0), 0u) << error.what();
    }
  }
}

TEST(Pattern, GivesUpOnEndlessBacktracking) {
  const Pattern pattern = Pattern::regex("(a|aa)+$", "test");
  Pattern::Finder finder(pattern);
  std::vector<Range> ranges;
  EXPECT_THROW(finder.find_all(std::string(200, 'a') + "b", ranges), Error);
}

TEST(Pattern, MatchesDeeplyNestedRepeatsOfLongTexts) {
  EXPECT_EQ(regex("(?:a|b)*c", std::string(300'000, 'a') + "c").size(), 1u);
}

}  // namespace
}  // namespace cleave::text
