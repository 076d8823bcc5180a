#include "grammar/gbnf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/error_of.h"
#include "grammar/testing/grammars.h"

namespace cleave::grammar {
namespace {

using ::testing::HasSubstr;

TEST(Gbnf, ReadsTheNotation) {
  const auto grammar = over_bytes(compile_gbnf(R"(# moves of a game
root ::= (
    # the first move
    "1. " move " " move "\n"
    ([1-9] [0-9]? ". " move " " move "\n")*
)
move ::= (pawn | nonpawn | castle) [+#]?
pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
castle ::= "O-O" "-O"?
)",
                                               kPatient));
  EXPECT_TRUE(accepts(grammar, "1. e4 e5\n2. Nf3 Nc6\n3. O-O-O exd5+\n"));
  EXPECT_FALSE(accepts(grammar, "1. e4 e9\n"));
  EXPECT_FALSE(accepts(grammar, "e4 e5\n"));
}

TEST(Gbnf, RulesMayCallThemselves) {
  const auto grammar =
      over_bytes(compile_gbnf("root ::= expr\nexpr ::= term (\"+\" term)*\n"
                              "term ::= [0-9]{1,3} | \"(\" expr \")\" | \"-\" term\n",
                              kPatient));
  for (const char* text : {"1", "(1+23)+-4", "((((1))))"}) EXPECT_TRUE(accepts(grammar, text)) << text;
  for (const char* text : {"", "1234", "(1", "1+", "(1))"}) EXPECT_FALSE(accepts(grammar, text)) << text;
}

TEST(Gbnf, CharactersAreThoseOfUnicode) {
  const auto grammar = over_bytes(
      compile_gbnf("root ::= [\xe3\x81\x81-\xe3\x82\x9f]{2,} \"\\u00e9\\x41\\U0001F600\" . [^a-z]", kPatient));
  EXPECT_TRUE(accepts(grammar,
                      "\xe3\x81\x82\xe3\x81\x84\xc3\xa9"
                      "A\xf0\x9f\x98\x80\n\xc3\xa9"));
  EXPECT_FALSE(accepts(grammar,
                       "\xe3\x81\x82\xc3\xa9"
                       "A\xf0\x9f\x98\x80\nx"));
}

TEST(Gbnf, AlternativesAcrossLines) {
  const auto grammar = over_bytes(compile_gbnf("root ::= \"a\" |\n  \"b\"\n\nother ::= \"c\"\r\n", kPatient));
  EXPECT_TRUE(accepts(grammar, "b"));
  EXPECT_FALSE(accepts(grammar, "c"));
}

TEST(Gbnf, RefusesLeftRecursionByName) {
  for (const char* grammar : {"root ::= list\nlist ::= list \"a\" | \"a\"",
                              "root ::= list\nlist ::= empty list \"a\" | \"a\"\nempty ::= \"x\"?"})
    EXPECT_THAT(error_of(ErrorKind::Unsupported, [&] { compile_gbnf(grammar, kPatient); }),
                HasSubstr("\"list\" refers to itself"))
        << grammar;
}

TEST(Gbnf, NamesMistakes) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"root ::= missing", "missing"},
      {"other ::= \"a\"", "no rule named root"},
      {"root ::= \"a", "within quotes"},
      {"root ::= (\"a\"", "without its )"},
      {"root \"a\"", "lacks ::="},
      {"root ::= \"a\"\nroot ::= \"b\"", "a second time in line 2"},
      {"root ::= \"\\q\"", "unknown escape"},
      {"root ::= [z-a]", "wrong order"},
      {"root ::= \"a\"{3,1}", "wrong order"},
      {"root ::= \"a\" )", "no part of a rule"},
      {"root ::= root2\nroot2 ::= \"a\" root2", "no text satisfies"}};
  for (const auto& [grammar, what] : cases)
    EXPECT_THAT(error_of(ErrorKind::InvalidArgument, [&, &own = grammar] { compile_gbnf(own, kPatient); }),
                HasSubstr(what))
        << grammar;
  for (const char* grammar : {"root ::= <think> \"a\"", "root ::= <[1000]>", "root ::= !<[3]>"})
    EXPECT_THAT(error_of(ErrorKind::Unsupported, [&] { compile_gbnf(grammar, kPatient); }), HasSubstr("token"))
        << grammar;
}

}  // namespace
}  // namespace cleave::grammar
