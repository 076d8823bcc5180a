#include "grammar/regex/regex_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/error_of.h"
#include "grammar/testing/grammars.h"

namespace cleave::grammar {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* pattern;
  std::vector<const char*> matching, other;
};

TEST(Regex, MatchesWholeTexts) {
  const std::vector<Case> cases{
      {"abc", {"abc"}, {"", "ab", "abcd"}},
      {"a|b|", {"a", "b", ""}, {"c", "ab"}},
      {"^(yes|no)$", {"yes", "no"}, {"yesno"}},
      {"a*b+c?", {"b", "aabbc"}, {"a", "bcc"}},
      {"(?:ab){2}", {"abab"}, {"ab", "ababab"}},
      {"(?<x>a){2,}", {"aa", "aaaaa"}, {"a"}},
      {"a{1,3}?", {"a", "aaa"}, {"", "aaaa"}},
      {"a{,3}", {"a{,3}"}, {"a", "aaa"}},
      {"\\d{3}-\\w+\\s\\S", {"123-a_9 x"}, {"12a-b c", "123-a_9 \t"}},
      {"[a-c\\-x\\]]+", {"a-x]"}, {"d"}},
      {"[^a-c\\s]", {"d", "\xc3\xa9", "\xf0\x9f\x98\x80"}, {"a", " ", "\xc2\xa0"}},
      {"[-a]|[b-]", {"-", "a", "b"}, {"c"}},
      {".", {"a", "\xe4\xb8\x96"}, {"\n", "\xe2\x80\xa8", "ab"}},
      {"\\u00e9\\x41\\u{1F600}\\uD83D\\uDE00",
       {"\xc3\xa9"
        "A\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
       {"A"}},
      {"\\p{L}+\\P{L}",
       {"aB\xc3\x9f"
        "1"},
       {"a", "1"}},
      {"\\.\\/\\$\\^\\(\\)\\n", {"./$^()\n"}, {""}},
      {"[\xce\xb1-\xcf\x89]", {"\xce\xb2", "\xcf\x89"}, {"a", "\xce"}},
      {"(a*)*|(b?){3}", {"", "aaa", "bbb", "b"}, {"bbbb", "ab"}},
      {"\\D\\W", {"a-", "-!"}, {"1-", "\xd9\xa1-", "aa", "a\xc3\xa9"}},
      {"(a?b?){0,3}", {"", "ab", "abab", "bbb", "aabb"}, {"bbbb", "ababababab"}},
      {"((a?b?){0,100000}c?){2,100000}", {"", "abcabcaabbcc"}, {"abd"}},
      {"(a*|b{2,3}){2,4}", {"", "a", "abbaa", "bbbbb"}, {"b", "bbabbabbabba"}},
      {"[]a]|x", {"x"}, {"a", "]a]"}},
  };
  for (const Case& test : cases) {
    const auto grammar = over_bytes(compile_regex(test.pattern, kPatient));
    for (const char* text : test.matching) EXPECT_TRUE(accepts(grammar, text)) << test.pattern << " " << text;
    for (const char* text : test.other) EXPECT_FALSE(accepts(grammar, text)) << test.pattern << " " << text;
  }
}

TEST(Regex, RefusesWhatItCannotDo) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"a(?=b)", "lookaround"},        {"(?<!a)b", "lookaround"}, {"(a)\\1", "back reference"},
      {"\\bword\\b", "word boundary"}, {"(?i)a", "flags"},        {"a++", "possessive"},
      {"\\p{Greek}", "property"},      {"\\q", "unknown escape"}, {"a{2000000}", "million"},
      {"a^b", "anchor within"},        {"[[:alpha:]]", "POSIX"},  {"(^a)*", "anchor within"},
      {"\\uD83D", "surrogate"},        {"\\012", "octal"}};
  for (const auto& [pattern, what] : cases)
    EXPECT_THAT(error_of(ErrorKind::Unsupported, [&, &own = pattern] { compile_regex(own, kPatient); }),
                HasSubstr(what))
        << pattern;
}

TEST(Regex, NamesThePlaceOfAMistake) {
  const std::vector<std::pair<const char*, const char*>> cases{{"a(b", "( without its ) at byte 4"},
                                                               {"a)b", ") without its ("},
                                                               {"[a", "[ without its ]"},
                                                               {"*a", "repeats nothing at byte 1"},
                                                               {"a**", "repeats a repetition"},
                                                               {"a{3,2}", "wrong order"},
                                                               {"[b-a]", "wrong order"},
                                                               {"a\\", "backslash"},
                                                               {"\\xg1", "hexadecimal"},
                                                               {"^*a", "repeats an anchor"},
                                                               {"\xff", "not UTF-8"}};
  for (const auto& [pattern, what] : cases)
    EXPECT_THAT(error_of(ErrorKind::InvalidArgument, [&, &own = pattern] { compile_regex(own, kPatient); }),
                HasSubstr(what))
        << pattern;
}

}  // namespace
}  // namespace cleave::grammar
