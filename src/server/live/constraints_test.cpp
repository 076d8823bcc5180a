#include "server/live/constraints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/api/failure.h"
#include "text/testing/byte_tokenizer.h"

namespace cleave::server {
namespace {

using Kind = api::Format::Kind;

const text::testing::ByteTokenizer kBytes;
constexpr int32_t kEnd = 300;

api::Format format(Kind kind, const std::string& json) {
  return {kind, OrderedJson::parse(json), "response_format"};
}

// Whether an answer may be the text, followed by its end.
bool allows(Constraints& constraints, const api::Format& format, std::string_view text) {
  const auto constraint = constraint_of(constraints.grammar_of(format));
  std::vector<int32_t> tokens = kBytes.encode(text, false);
  tokens.push_back(kEnd);
  for (const int32_t token : tokens) {
    std::vector<uint32_t> allowed(10, ~0U);
    constraint->mask(allowed);
    if ((allowed[static_cast<size_t>(token) / 32] >> (token % 32) & 1) == 0) return false;
    constraint->accept(token);
  }
  return true;
}

class ConstraintsTest : public testing::Test {
 protected:
  Constraints constraints_{kBytes, std::vector<int32_t>{kEnd}, 310};
};

TEST_F(ConstraintsTest, HoldsAnswersToEachForm) {
  const api::Format schema = format(Kind::JsonSchema, R"({"type":"object","properties":{"a":{"type":"integer"}},
    "required":["a"],"additionalProperties":false})");
  EXPECT_TRUE(allows(constraints_, schema, R"({"a":1})"));
  EXPECT_FALSE(allows(constraints_, schema, R"({"a":"x"})"));
  EXPECT_FALSE(allows(constraints_, schema, R"({"a":1)"));
  EXPECT_TRUE(allows(constraints_, format(Kind::JsonObject, "{}"), R"({"b":[true]})"));
  EXPECT_FALSE(allows(constraints_, format(Kind::JsonObject, "{}"), "[]"));
  EXPECT_TRUE(allows(constraints_, format(Kind::Regex, R"("a+b")"), "aab"));
  EXPECT_FALSE(allows(constraints_, format(Kind::Regex, R"("a+b")"), "b"));
  EXPECT_TRUE(allows(constraints_, format(Kind::Choice, R"(["yes","no"])"), "no"));
  EXPECT_FALSE(allows(constraints_, format(Kind::Choice, R"(["yes","no"])"), "maybe"));
  EXPECT_TRUE(allows(constraints_, format(Kind::Grammar, R"("root ::= \"x\" [0-9]")"), "x7"));
}

TEST_F(ConstraintsTest, CompilesAFormOnce) {
  const api::Format object = format(Kind::JsonObject, "{}"), regex = format(Kind::Regex, R"("a")");
  EXPECT_EQ(constraints_.grammar_of(object), constraints_.grammar_of(object));
  EXPECT_NE(constraints_.grammar_of(object), constraints_.grammar_of(regex));
}

// Bytes, and three tokens: <a> and </s> are special, <b> is none.
class MarkedTokenizer : public text::testing::ByteTokenizer {
 public:
  std::string token_bytes(int32_t id) const override {
    return id < 256 ? ByteTokenizer::token_bytes(id) : id == 256 ? "<a>" : id == 257 ? "<b>" : "</s>";
  }
  int32_t vocab_size() const override { return 259; }
  bool is_special(int32_t id) const override { return id == 256 || id == 258; }
};

TEST(Constraints, MeansSpecialTokensAsTokens) {
  const MarkedTokenizer tokenizer;
  Constraints constraints(tokenizer, std::vector<int32_t>{258}, 260);
  EXPECT_EQ(constraints.with_special_tokens("x<a><b></s><a"), "x\xff<a><b></s><a");
  const auto grammar = constraints.grammar_of("key", [&] {
    return grammar::compile_piece(grammar::Piece::literal(constraints.with_special_tokens("<a><b>")));
  });
  const auto allowed = [](grammar::Matcher& matcher, int32_t token) {
    std::vector<uint32_t> mask(9, ~0U);
    matcher.mask(mask);
    return (mask[static_cast<size_t>(token) / 32] >> token % 32 & 1) != 0;
  };
  grammar::Matcher matcher(grammar);
  EXPECT_TRUE(allowed(matcher, 256));
  EXPECT_FALSE(allowed(matcher, '<')) << "as text";
  EXPECT_FALSE(allowed(matcher, 255)) << "by a byte";
  matcher.accept(256);
  EXPECT_TRUE(allowed(matcher, 257));
  EXPECT_TRUE(allowed(matcher, '<'));
  matcher.accept(257);
  EXPECT_TRUE(matcher.complete());
}

TEST_F(ConstraintsTest, KeepsWhatHasNoGrammar) {
  int compiled = 0;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(constraints_.grammar_of("none", [&] { return ++compiled, nullptr; }), nullptr);
  EXPECT_EQ(compiled, 1);
}

TEST_F(ConstraintsTest, RefusesWhatItCannotDoByName) {
  const auto failure = [&](const api::Format& format) {
    try {
      constraints_.grammar_of(format);
    } catch (const api::Refusal& refusal) {
      return refusal.failure();
    }
    return api::Failure{.status = 0};
  };
  const api::Failure unsupported = failure(format(Kind::JsonSchema, R"({"type":"array","contains":{}})"));
  EXPECT_EQ(unsupported.status, 400);
  EXPECT_EQ(unsupported.param, "response_format");
  EXPECT_THAT(unsupported.message, testing::HasSubstr("contains"));
  EXPECT_EQ(failure(format(Kind::Regex, R"("(")")).status, 400);
  EXPECT_EQ(failure(format(Kind::Regex, "[1]")).status, 400);
  EXPECT_EQ(failure(format(Kind::Choice, "[]")).status, 400);
  EXPECT_EQ(failure(format(Kind::JsonSchema, R"({"const":1,"type":"string"})")).status, 400);
}

}  // namespace
}  // namespace cleave::server
