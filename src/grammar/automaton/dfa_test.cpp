#include "grammar/automaton/dfa.h"

#include <gtest/gtest.h>

#include "grammar/regex/regex_parser.h"
#include "grammar/testing/grammars.h"

namespace cleave::grammar {
namespace {

class DfaTest : public ::testing::Test {
 protected:
  Dfa dfa(const std::string& pattern) { return Dfa(parse_regex(pattern, "test", budget_), Encoding::Json, budget_); }

  Budget budget_{Limits()};
};

TEST_F(DfaTest, CombinesSetsOfTexts) {
  const Dfa a = dfa("a+b?"), b = dfa("a?b*");
  const Dfa both = a.combined(b, Dfa::Combination::Both, budget_);
  const Dfa either = a.combined(b, Dfa::Combination::Either, budget_);
  const Dfa first = a.combined(b, Dfa::Combination::FirstOnly, budget_);
  for (const char* text : {"", "a", "b", "ab", "aa", "aab", "bb", "abb", "ba", "c"}) {
    EXPECT_EQ(both.accepts(text), a.accepts(text) && b.accepts(text)) << text;
    EXPECT_EQ(either.accepts(text), a.accepts(text) || b.accepts(text)) << text;
    EXPECT_EQ(first.accepts(text), a.accepts(text) && !b.accepts(text)) << text;
  }
  EXPECT_TRUE(dfa("a").combined(dfa("b"), Dfa::Combination::Both, budget_).empty());
  EXPECT_FALSE(both.empty());
}

TEST_F(DfaTest, ListsItsTextsIfTheyAreFew) {
  EXPECT_EQ(dfa("ab?c|d").texts(8), (std::vector<std::string>{"abc", "ac", "d"}));
  EXPECT_EQ(dfa("a{1,20}").texts(8), std::nullopt);
  EXPECT_EQ(dfa("a*").texts(8), std::nullopt);
  EXPECT_EQ(Dfa().texts(8), std::vector<std::string>());
}

TEST_F(DfaTest, EmitsEdgesForItsTextsAlone) {
  const Dfa all(Expression::anything(), Encoding::Json, budget_);
  const Dfa texts = all.combined(Dfa::of_texts({"", "ab", "abc"}, budget_), Dfa::Combination::FirstOnly, budget_);
  for (const bool with_tail : {false, true}) {
    ProgramBuilder builder(budget_);
    const uint32_t rule = builder.add_rule("texts"), character = builder.add_rule("a character");
    add_characters(builder, builder.start(character), CodePoints::all(), Encoding::Json, builder.end(character));
    const Dfa::Tail tail{&all, character};
    texts.emit(builder, builder.start(rule), builder.end(rule), with_tail ? &tail : nullptr);
    const auto grammar = over_bytes(std::make_shared<const Program>(builder.finish(rule)));
    for (const char* text : {"a", "b", "abcd", "ac", "\\\"", "\xc3\xa9", "abx", "\\u0001"})
      EXPECT_TRUE(accepts(grammar, text)) << text;
    for (const char* text : {"", "ab", "abc", "\"", "\n", "\\u0061", "\xff"})
      EXPECT_FALSE(accepts(grammar, text)) << text;
  }
}

}  // namespace
}  // namespace cleave::grammar
