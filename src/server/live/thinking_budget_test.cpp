#include "server/live/thinking_budget.h"

#include <gtest/gtest.h>

#include "response/call_grammar.h"
#include "response/find_format.h"
#include "response/testing/templates.h"
#include "server/live/answer_grammar.h"
#include "text/testing/byte_tokenizer.h"

namespace cleave::server {
namespace {

const text::testing::ByteTokenizer kBytes;

ThinkingBudget::Settings settings(int64_t tokens, const std::string& prompt) {
  ThinkingBudget::Settings result{.tokens = tokens, .format = {}, .parser = {}};
  result.format.reasoning_open = "<think>";
  result.format.reasoning_close = "\n</think>\n";
  result.parser.prompt = prompt;
  return result;
}

// The only token that may come next; nothing where several may.
std::optional<char> forced(ThinkingBudget& budget) {
  std::vector<uint32_t> allowed(9, ~0U);
  budget.mask(allowed);
  std::optional<char> only;
  for (int32_t token = 0; token < 256; ++token) {
    if ((allowed[static_cast<size_t>(token) / 32] >> token % 32 & 1) == 0) continue;
    if (only) return std::nullopt;
    only = static_cast<char>(token);
  }
  return only;
}

// What follows a text until the model is free again.
std::string closing_behind(ThinkingBudget& budget, std::string_view text) {
  for (const char c : text) {
    EXPECT_FALSE(forced(budget)) << "before " << c;
    budget.accept(static_cast<unsigned char>(c));
  }
  std::string closing;
  while (const auto next = forced(budget)) {
    closing += *next;
    budget.accept(static_cast<unsigned char>(*next));
  }
  return closing;
}

TEST(ThinkingBudget, EndsReasoningThatThePromptHasOpened) {
  ThinkingBudget budget(settings(3, "x<think>"), kBytes, nullptr);
  EXPECT_EQ(closing_behind(budget, "abc"), "\n</think>\n");
  EXPECT_EQ(closing_behind(budget, "content that may be long"), "");
}

TEST(ThinkingBudget, EndsReasoningThatTheModelOpens) {
  ThinkingBudget budget(settings(2, "x"), kBytes, nullptr);
  EXPECT_EQ(closing_behind(budget, "<think>ab"), "\n</think>\n");
}

TEST(ThinkingBudget, LeavesShorterReasoningAlone) {
  ThinkingBudget budget(settings(20, "x<think>"), kBytes, nullptr);
  EXPECT_EQ(closing_behind(budget, "ab</think>cd"), "");
}

TEST(ThinkingBudget, OfNothingAllowsNone) {
  ThinkingBudget budget(settings(0, "x<think>"), kBytes, nullptr);
  EXPECT_EQ(closing_behind(budget, ""), "\n</think>\n");
}

TEST(ThinkingBudget, CompletesACharacterFirst) {
  ThinkingBudget budget(settings(2, "x<think>"), kBytes, nullptr);
  EXPECT_EQ(closing_behind(budget, "a\xe2\x82\xac"), "\n</think>\n");
}

/// A constraint that allows one token, and counts what it is told.
class OnlyX final : public engine::TokenConstraint {
 public:
  void mask(std::span<uint32_t> allowed) override {
    for (size_t word = 0; word < allowed.size(); ++word) allowed[word] &= word == 'x' / 32 ? 1U << 'x' % 32 : 0;
  }
  void accept(int32_t) override { ++accepted; }
  int accepted = 0;
};

TEST(ThinkingBudget, LeavesTheRestToAnotherConstraint) {
  const auto inner = std::make_shared<OnlyX>();
  ThinkingBudget budget(settings(1, "x<think>"), kBytes, inner);
  EXPECT_EQ(forced(budget), 'x');
  budget.accept('x');
  for (const char c : std::string("\n</think>\n")) {
    EXPECT_EQ(forced(budget), c);
    budget.accept(c);
  }
  EXPECT_EQ(forced(budget), 'x');
  EXPECT_EQ(inner->accepted, 11);
}

response::ResponseFormat channels() {
  const response::TestTemplate& test = response::kChannels;
  return response::find_response_format(text::ChatFormat({{"default", test.source}}, Json::object(), test.name));
}

ThinkingBudget::Settings channel_settings(const std::string& header) {
  ThinkingBudget::Settings result;
  result.tokens = 3;
  result.format = channels();
  result.header = header;
  return result;
}

const std::string kAnalysis = "<|channel|>analysis<|message|>abc";

TEST(ThinkingBudget, OfChannelsGoesOnWithContent) {
  ThinkingBudget budget(channel_settings(""), kBytes, nullptr);
  EXPECT_EQ(closing_behind(budget, kAnalysis), "<|end|><|start|>assistant<|channel|>final<|message|>");
}

TEST(ThinkingBudget, OfChannelsGoesOnWithTheCallThatIsForced) {
  const response::ResponseFormat format = channels();
  const response::ToolSchemas tools(R"([{"name": "first"}, {"name": "second"}])");
  const response::CallGrammar calls = call_grammar(format, tools, tools.names(), false).value();
  Constraints constraints(kBytes, std::vector<int32_t>{256}, 257);
  const auto grammar = constraints.grammar_of("calls", [&] {
    return compile_piece(AnswerGrammar(constraints, format).whole(Reasoning::Possible, std::nullopt, calls));
  });
  ThinkingBudget budget(channel_settings(calls.opening), kBytes, constraint_of(grammar));
  for (const char c : kAnalysis) budget.accept(static_cast<unsigned char>(c));
  std::string closing = closing_behind(budget, "");
  EXPECT_EQ(closing, "<|end|><|start|>assistant to=functions.") << "and then the grammar leaves both names";
  EXPECT_EQ(closing_behind(budget, "f"), "irst<|channel|>commentary json<|message|>{") << "which has followed";
}

}  // namespace
}  // namespace cleave::server
