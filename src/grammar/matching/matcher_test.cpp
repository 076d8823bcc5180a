#include "grammar/matching/matcher.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/testing/error_of.h"
#include "grammar/testing/grammars.h"

namespace cleave::grammar {
namespace {

// Tokens that end, begin and join what JSON and the test's expressions are made of, and pieces of characters.
const std::vector<std::string> kTokens{"\":",
                                       "\": ",
                                       "\",",
                                       "\", \"",
                                       "\"}",
                                       "\"}]",
                                       "{\"",
                                       "{\"a\"",
                                       "{\"a\":1,\"a\":2",
                                       "\":{\"",
                                       "a\"",
                                       "ab\"",
                                       "abc",
                                       "name",
                                       "\"name\"",
                                       "me",
                                       ", ",
                                       ",\n",
                                       "\n  ",
                                       "\n    \"",
                                       "  ",
                                       "]",
                                       "],",
                                       "]}",
                                       "}}",
                                       "[[",
                                       "[1",
                                       "12",
                                       "123",
                                       "1.5",
                                       ".5",
                                       "-1",
                                       "0",
                                       "00",
                                       "true",
                                       "tr",
                                       "ue",
                                       "null",
                                       "false",
                                       "\\n",
                                       "\\\"",
                                       "\\u00",
                                       "\\\\",
                                       "the cat",
                                       "caf\xc3",
                                       "\xa9",
                                       "\xc3\xa9",
                                       "\xe4\xb8\x96\xe7\x95\x8c",
                                       "\xf0\x9f\x98",
                                       "\x80",
                                       "averyveryverylongtoken",
                                       "aaaa",
                                       "bb",
                                       "ab",
                                       "ba",
                                       "aab",
                                       "\"a\":1,\"b\"",
                                       "\",\"a\":",
                                       "\"b\": 2",
                                       "name\": \"",
                                       "</call>",
                                       "</ca",
                                       "ll>",
                                       "ok</call>",
                                       "ok",
                                       "abc",
                                       "a"};

struct Case {
  const char* name;
  std::shared_ptr<const Program> program;
};

std::vector<Case> cases() {
  const auto schema = [](const char* text) {
    return compile_json_schema(parse_ordered_json(text, "schema"), kPatient);
  };
  return {
      {"object", compile_json_object()},
      {"regex", compile_regex("(a|b)*abb|[a-z]{3,20}\"?", kPatient)},
      {"counted", compile_regex("(ab?){2,5}(a{1,3}b){0,4}", kPatient)},
      {"choice", compile_choice({"abc", "name", "the cat", "ab"})},
      {"nested", compile_gbnf("root ::= \"a\" root \"b\" | \"ab\" | \"(\" root \")\"\n", kPatient)},
      {"ambiguous",
       compile_gbnf("root ::= x | y\nx ::= \"a\" x \"b\" | \"a\"\ny ::= \"a\" y \"a\" | \"b\" | \"a\"\n", kPatient)},
      {"person", schema(R"({"type":"object","properties":{"name":{"type":"string","maxLength":5},"b":{"type":"integer",
          "minimum":-3,"maximum":120},"a":{"enum":["ab","abc",1,null]}},"required":["name"],
          "additionalProperties":false})")},
      {"map", schema(R"({"type":"object","additionalProperties":{"type":"string","minLength":2,"maxLength":40},
          "minProperties":1,"maxProperties":3})")},
      {"patterns", schema(R"({"type":"object","patternProperties":{"^a":{"type":"integer"},"b$":{"type":"array"}}})")},
      {"tree", schema(R"({"$defs":{"node":{"type":"object","properties":{"name":{"type":"string"},
          "a":{"type":"array","items":{"$ref":"#/$defs/node"}}}}},"$ref":"#/$defs/node"})")},
      {"lists", schema(R"({"type":"array","items":{"anyOf":[{"type":"number","minimum":0.5},{"type":"string",
          "pattern":"^[ab]+$"}]},"minItems":1,"maxItems":4})")},
      {"call", compile_piece(Piece::sequence({Piece::free("{\""), Piece::literal("name\": \""), Piece::regex("[a-z]+"),
                                              Piece::literal("\", "),
                                              Piece::json(parse_ordered_json(R"({"type":"object"})", "schema")),
                                              Piece::free("</call>")}),
                             kPatient)},
  };
}

bool bit(const std::vector<uint32_t>& mask, int32_t token) {
  return (mask[token / 32] >> (token % 32) & 1) != 0;
}

std::vector<uint32_t> mask_of(Matcher& matcher, size_t words) {
  std::vector<uint32_t> mask(words, UINT32_MAX);
  matcher.mask(mask);
  return mask;
}

// Says of tokens after a text whether they are allowed, by trying them.
class Trial {
 public:
  Trial(std::shared_ptr<TokenGrammar> grammar, std::vector<int32_t> tokens)
      : grammar_(std::move(grammar)), tokens_(std::move(tokens)) {}

  bool allows(int32_t token) {
    if (!matcher_) {
      matcher_ = std::make_unique<Matcher>(grammar_);
      for (const int32_t before : tokens_) EXPECT_TRUE(matcher_->accept(before));
    }
    const bool allowed = matcher_->accept(token);
    if (allowed) matcher_.reset();
    return allowed;
  }

 private:
  std::shared_ptr<TokenGrammar> grammar_;
  std::vector<int32_t> tokens_;
  std::unique_ptr<Matcher> matcher_;
};

TEST(Matcher, MaskIsWhatTryingEveryTokenSays) {
  std::mt19937 random(7);
  const auto vocabulary = vocabulary_of(kTokens);
  for (const Case& test : cases()) {
    const auto grammar = std::make_shared<TokenGrammar>(test.program, vocabulary);
    for (int run = 0; run < 10; ++run) {
      Matcher matcher(grammar);
      std::vector<int32_t> tokens;
      for (int step = 0; step < 14; ++step) {
        const std::vector<uint32_t> mask = mask_of(matcher, vocabulary->words());
        std::vector<int32_t> allowed;
        Trial trial(grammar, tokens);
        for (int32_t token = 0; token < vocabulary->size(); ++token) {
          ASSERT_EQ(bit(mask, token), trial.allows(token)) << test.name << ", run " << run << ", step " << step
                                                           << ", token " << token << " " << vocabulary->bytes(token);
          if (bit(mask, token) && !vocabulary->is_end_token(token)) allowed.push_back(token);
        }
        if (allowed.empty()) break;
        // Long tokens more often, or the text stays among single bytes.
        std::sort(allowed.begin(), allowed.end(), [](int32_t a, int32_t b) { return a > b; });
        tokens.push_back(allowed[random() % std::min<size_t>(allowed.size(), 1 + random() % 40)]);
        ASSERT_TRUE(matcher.accept(tokens.back()));
      }
    }
  }
}

TEST(Matcher, AcceptsATextHoweverItIsCut) {
  std::mt19937 random(8);
  const auto vocabulary = vocabulary_of(kTokens);
  for (const Case& test : cases()) {
    const auto grammar = std::make_shared<TokenGrammar>(test.program, vocabulary);
    Matcher matcher(grammar);
    std::string text;
    for (int step = 0; step < 25; ++step) {
      const std::vector<uint32_t> mask = mask_of(matcher, vocabulary->words());
      std::vector<int32_t> allowed;
      for (int32_t token = 0; token < vocabulary->size(); ++token)
        if (bit(mask, token) && !vocabulary->is_end_token(token)) allowed.push_back(token);
      if (allowed.empty()) break;
      const int32_t token = allowed[random() % allowed.size()];
      ASSERT_TRUE(matcher.accept(token));
      text += vocabulary->bytes(token);
    }
    for (int cut = 0; cut < 10; ++cut) {
      Matcher other(grammar);
      for (size_t at = 0; at < text.size();) {
        std::vector<int32_t> fitting;
        for (int32_t token = 0; token < vocabulary->size(); ++token) {
          const std::string_view bytes = vocabulary->bytes(token);
          if (!bytes.empty() && std::string_view(text).substr(at).starts_with(bytes)) fitting.push_back(token);
        }
        const int32_t token = fitting[random() % fitting.size()];
        const std::vector<uint32_t> mask = mask_of(other, vocabulary->words());
        ASSERT_TRUE(bit(mask, token)) << test.name << " " << text << " at " << at;
        ASSERT_TRUE(other.accept(token));
        at += vocabulary->bytes(token).size();
      }
      EXPECT_EQ(other.complete(), matcher.complete());
    }
  }
}

TEST(Matcher, EndTokensAreAllowedWhereTheTextIsComplete) {
  const auto vocabulary = vocabulary_of({"ab"});
  const int32_t end = vocabulary->size() - 1;
  const auto grammar = std::make_shared<TokenGrammar>(compile_regex("(ab)+", kPatient), vocabulary);
  Matcher matcher(grammar);
  EXPECT_FALSE(bit(mask_of(matcher, vocabulary->words()), end));
  EXPECT_FALSE(matcher.accept(end));
  EXPECT_TRUE(matcher.accept(256));
  EXPECT_TRUE(bit(mask_of(matcher, vocabulary->words()), end));
  EXPECT_TRUE(matcher.accept(end));
  EXPECT_TRUE(matcher.ended());
  const std::vector<uint32_t> after = mask_of(matcher, vocabulary->words());
  for (int32_t token = 0; token < vocabulary->size(); ++token) EXPECT_EQ(bit(after, token), token == end);
}

TEST(Matcher, ARefusedTokenChangesNothing) {
  Matcher matcher(over_bytes(compile_regex("abc", kPatient)));
  EXPECT_TRUE(matcher.accept('a'));
  EXPECT_FALSE(matcher.accept('c'));
  EXPECT_FALSE(matcher.accept(-1));
  EXPECT_FALSE(matcher.accept(100'000));
  EXPECT_TRUE(matcher.accept('b'));
  EXPECT_TRUE(matcher.accept('c'));
  EXPECT_TRUE(matcher.complete());
}

TEST(Matcher, ClearsBitsBeyondTheVocabulary) {
  Matcher matcher(over_bytes(compile_regex("a", kPatient)));
  std::vector<uint32_t> mask(20, UINT32_MAX);
  matcher.mask(mask);
  EXPECT_EQ(mask['a' / 32], 1u << ('a' % 32));
  EXPECT_EQ(mask[19], 0u);
}

TEST(Matcher, SaysWhatMustFollow) {
  const auto grammar = schema(R"({"type":"object","properties":{"location":{"enum":["Paris","Pisa"]}},
      "required":["location"],"additionalProperties":false})");
  Matcher matcher(grammar);
  EXPECT_EQ(matcher.forced(), "{");
  ASSERT_TRUE(matcher.accept_bytes("{\""));
  EXPECT_EQ(matcher.forced(), "location\":");
  EXPECT_EQ(matcher.forced(3), "loc");
  ASSERT_TRUE(matcher.accept_bytes("location\":\""));
  EXPECT_EQ(matcher.forced(), "P");
  ASSERT_TRUE(matcher.accept_bytes("Pa"));
  EXPECT_EQ(matcher.forced(), "ris\"");
}

TEST(Matcher, AVocabularyWithoutAWantedByteIsAnError) {
  const std::vector<std::string> tokens{"a", "b", ""};
  const std::vector<int32_t> end{2};
  const auto grammar =
      std::make_shared<TokenGrammar>(compile_regex("ac", kPatient), std::make_shared<const Vocabulary>(tokens, end));
  Matcher matcher(grammar);
  ASSERT_TRUE(matcher.accept(0));
  std::vector<uint32_t> mask(1, UINT32_MAX);
  EXPECT_EQ(error_of(ErrorKind::Unsupported, [&] { matcher.mask(mask); }),
            "the vocabulary has no token that the grammar allows here");
}

TEST(Matcher, LongTextsForgetWhatIsBehindThem) {
  const auto grammar = over_bytes(compile_json_object());
  Matcher matcher(grammar);
  ASSERT_TRUE(matcher.accept_bytes("{"));
  for (int i = 0; i < 30'000; ++i)
    ASSERT_TRUE(matcher.accept_bytes(fmt::format("{}\"key{}\":[{}]", i > 0 ? "," : "", i, i)));
  EXPECT_FALSE(matcher.accept_bytes(",\"key17\""));
  EXPECT_TRUE(matcher.accept_bytes("}"));
  EXPECT_TRUE(matcher.complete());
}

TEST(Matcher, NestingIsBoundedAndTheTextCanStillBeCompleted) {
  Matcher matcher(over_bytes(compile_json_object()));
  std::string text = "{\"a\":";
  ASSERT_TRUE(matcher.accept_bytes(text));
  int depth = 0;
  while (matcher.accept_bytes("[")) ++depth;
  EXPECT_GT(depth, 200);
  EXPECT_LT(depth, 2'000);
  EXPECT_TRUE(matcher.accept_bytes(fmt::format("{}}}", std::string(static_cast<size_t>(depth), ']'))));
  EXPECT_TRUE(matcher.complete());
}

}  // namespace
}  // namespace cleave::grammar
