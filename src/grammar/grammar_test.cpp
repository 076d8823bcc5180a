#include "grammar/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/error_of.h"
#include "grammar/testing/grammars.h"

namespace cleave::grammar {
namespace {

using ::testing::HasSubstr;

TEST(Grammar, ChoiceAllowsItsTextsAlone) {
  const auto grammar = over_bytes(compile_choice({"yes", "no", "not sure", ""}));
  for (const char* text : {"yes", "no", "not sure", ""}) EXPECT_TRUE(accepts(grammar, text)) << text;
  for (const char* text : {"y", "yesno", "not", " yes"}) EXPECT_FALSE(accepts(grammar, text)) << text;
  EXPECT_THAT(error_of(ErrorKind::InvalidArgument, [] { compile_choice({}); }), HasSubstr("one text"));
}

TEST(Grammar, AnyObject) {
  const auto grammar = over_bytes(compile_json_object());
  for (const char* text :
       {"{}", "{ }", "{\n  \"a\": [1, -2.5e+10, true, null, {\"b\": \"\\u00e9\\n\\ud83d\\ude00\"}]\n}",
        "{\"a\":1,\"b\":{\"a\":1}}", "{\"\":\"\"}"})
    EXPECT_TRUE(accepts(grammar, text)) << text;
  for (const char* text : {"[]", "{\"a\":1,}", "{\"a\":01}", "{a:1}", "{\"a\":\"\\ud83d\"}", "{\"a\":\"\n\"}",
                           "{\"a\":1,\"a\":1}", "{\"a\":1} ", " {}", "{\"a\":  1}", "{\"a\":+1}", "{\"a\":.5}",
                           "{\"a\":1.}", "{\"a\":\"\xff\"}", "{\"\\u0061\":1}"})
    EXPECT_FALSE(accepts(grammar, text)) << text;
}

TEST(Grammar, PiecesFollowOneAnother) {
  const auto arguments = parse_ordered_json(R"({"type":"object","properties":{"city":{"type":"string"}},
      "required":["city"],"additionalProperties":false})",
                                            "schema");
  const Piece call = Piece::sequence({Piece::literal("<call>{\"name\":\"weather\",\"arguments\":"),
                                      Piece::json(arguments), Piece::literal("}</call>")});
  const auto grammar = over_bytes(compile_piece(Piece::repeat(call, 1, 2), kPatient));
  const std::string one = "<call>{\"name\":\"weather\",\"arguments\":{\"city\":\"Bonn\"}}</call>";
  EXPECT_TRUE(accepts(grammar, one));
  EXPECT_TRUE(accepts(grammar, one + one));
  EXPECT_FALSE(accepts(grammar, one + one + one));
  EXPECT_FALSE(accepts(grammar, "<call>{\"name\":\"weather\",\"arguments\":{}}</call>"));
}

TEST(Grammar, FreeTextEndsAtItsMark) {
  const auto grammar = over_bytes(compile_piece(Piece::sequence({Piece::free("aab"), Piece::literal("!")}), kPatient));
  for (const char* text : {"aab!", "aaaab!", "xaaxaab!", "\xff\"aab!"}) EXPECT_TRUE(accepts(grammar, text)) << text;
  for (const char* text : {"aab", "aabx!", "aabaab!", "aa!"}) EXPECT_FALSE(accepts(grammar, text)) << text;
  EXPECT_TRUE(accepts(compile_piece(Piece::free(""), kPatient), "anything"));
}

TEST(Grammar, AScanGoesOnAsItsFirstMarkSays) {
  const auto scan = [](bool may_end) {
    return over_bytes(compile_piece(
        Piece::scan({{"<a>", Piece::literal("1")}, {"<ab>", Piece::literal("2")}, {"<<a>", Piece::literal("3")}},
                    may_end),
        kPatient));
  };
  for (const bool may_end : {false, true}) {
    for (const char* text : {"<a>1", "x<ab>2", "<<a>3", "<a<ab<<ab>2", "<ab<a>1", "<<ab>2"})
      EXPECT_TRUE(accepts(scan(may_end), text)) << text;
    for (const char* text : {"<a>2", "<<a>1", "<a>", "<a>1x", "<ab>2<a>1"})
      EXPECT_FALSE(accepts(scan(may_end), text)) << text;
    for (const char* text : {"", "text", "<", "<ab", "\xff<a"})
      EXPECT_EQ(accepts(scan(may_end), text), may_end) << text;
  }
  EXPECT_THAT(error_of(ErrorKind::InvalidArgument,
                       [] {
                         compile_piece(Piece::scan({{"", Piece::json_object()}}, false));
                       }),
              HasSubstr("empty"));
}

TEST(Grammar, AGrammarInGbnfIsAPieceToo) {
  const auto grammar = over_bytes(compile_piece(
      Piece::sequence({Piece::literal("<"), Piece::gbnf("root ::= [a-c]+ x\nx ::= \"!\""), Piece::literal(">")})));
  EXPECT_TRUE(accepts(grammar, "<abc!>"));
  EXPECT_FALSE(accepts(grammar, "<abc>"));
}

TEST(Grammar, KeysAreUniqueWithinPiecesToo) {
  const auto any = parse_ordered_json(R"({"type":"object"})", "schema");
  const auto grammar = over_bytes(compile_piece(
      Piece::sequence({Piece::literal("{\"a\":{\"a\":"), Piece::json(any), Piece::literal("}} {\"a\":1,\"a\":1}")}),
      kPatient));
  EXPECT_TRUE(accepts(grammar, "{\"a\":{\"a\":{\"b\":1,\"c\":1}}} {\"a\":1,\"a\":1}"));
  EXPECT_FALSE(accepts(grammar, "{\"a\":{\"a\":{\"b\":1,\"b\":1}}} {\"a\":1,\"a\":1}"));
}

TEST(Grammar, LimitsAreErrorsThatNameThem) {
  const auto message = [](std::string_view schema, Limits limits) {
    return error_of(ErrorKind::Unsupported, [&] { compile_json_schema(parse_ordered_json(schema, "schema"), limits); });
  };
  Limits few_states;
  few_states.nodes = 1000;
  EXPECT_THAT(message(R"({"type":"string","pattern":"^a+$","maxLength":5000})", few_states), HasSubstr("1000 states"));
  Limits short_text;
  short_text.text_bytes = 10;
  EXPECT_THAT(message(R"({"type":"string"})", short_text), HasSubstr("at most 10"));
  Limits no_time;
  no_time.time = std::chrono::milliseconds(0);
  EXPECT_THAT(message(R"({"type":"string","pattern":"^[a-z]{1,400}$","minLength":200})", no_time), HasSubstr("0 ms"));
  std::string deep = "true";
  for (int i = 0; i < 200; ++i) deep = "{\"allOf\":[" + deep + "]}";
  EXPECT_THAT(error_of(ErrorKind::Unsupported, [&] { compile_json_schema(OrderedJson::parse(deep)); }),
              HasSubstr("levels deep"));
  const std::string choices =
      R"({"anyOf":[{"required":["a"],"type":"object"},{"required":["b"],"type":"object"},{"required":["c"],"type":"object"}]})";
  std::string many;
  for (int i = 0; i < 12; ++i) many += (i > 0 ? "," : "") + choices;
  EXPECT_THAT(message("{\"allOf\":[" + many + "]}", {}), HasSubstr("alternatives"));
  EXPECT_THAT(error_of(ErrorKind::Unsupported, [] { compile_regex("(((a{1,999}){1,999}){1,999}){1,9999999}"); }),
              HasSubstr("million"));
}

TEST(Grammar, HugeRepetitionsCostNothing) {
  const auto grammar = over_bytes(compile_regex("(ab{2,100000}){1,1000000}", kPatient));
  EXPECT_TRUE(accepts(grammar, "abbabbb"));
  EXPECT_FALSE(accepts(grammar, "abab"));
}

TEST(Grammar, WhatNothingSatisfiesIsAnError) {
  for (const char* schema :
       {"false", R"({"enum":[]})", R"({"type":"string","const":1})", R"({"allOf":[{"type":"string"},{"type":"null"}]})",
        R"({"type":"integer","minimum":3,"maximum":2})",
        R"({"type":"object","properties":{"a":false},"required":["a"]})",
        R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})"})
    EXPECT_THAT(
        error_of(ErrorKind::InvalidArgument, [&] { compile_json_schema(parse_ordered_json(schema, "schema")); }),
        HasSubstr("no text satisfies"))
        << schema;
}

}  // namespace
}  // namespace cleave::grammar
