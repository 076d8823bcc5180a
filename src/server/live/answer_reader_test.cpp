#include "server/live/answer_reader.h"

#include <gtest/gtest.h>

#include "base/ordered_json.h"
#include "text/testing/byte_tokenizer.h"

namespace cleave::server {
namespace {

using engine::FinishReason;
using engine::NewToken;
using Kind = api::Piece::Kind;

const text::testing::ByteTokenizer kBytes;

NewToken token(char c, std::optional<FinishReason> finish = {}, bool scored = false) {
  NewToken result{.sequence = 1, .token = static_cast<unsigned char>(c), .finish = finish, .usage = {5, 0, 1}};
  if (scored) result.logprobs = std::make_shared<engine::TokenLogprobs>(engine::TokenLogprobs{-1, {{'x', -0.5}}});
  return result;
}

// The whole answer of a text whose last token ends it.
api::AnswerPart answer_of(AnswerReader& reader, std::string_view text, FinishReason finish, bool scored = false) {
  api::AnswerPart whole;
  for (size_t i = 0; i < text.size(); ++i)
    whole.append(reader.push(token(text[i], i + 1 == text.size() ? std::optional(finish) : std::nullopt, scored)));
  return whole;
}

TEST(AnswerReader, LeavesOutTheTokenThatEndsAnAnswer) {
  AnswerReader reader({}, kBytes);
  const api::AnswerPart answer = answer_of(reader, "abc$", FinishReason::EndToken);
  EXPECT_EQ(answer.text(Kind::Text), "abc");
  EXPECT_EQ(answer.finish, api::Finish::Stop);
  EXPECT_EQ(answer.tokens.size(), 4U);
  EXPECT_EQ(answer.usage.prompt, 5);
}

TEST(AnswerReader, SaysWhichTokenOfTheRequestEndedIt) {
  AnswerReader reader({.stop_token_ids = {'$'}}, kBytes);
  EXPECT_EQ(std::get<int32_t>(answer_of(reader, "a$", FinishReason::EndToken).stopped_by), '$');
}

TEST(AnswerReader, EndsBeforeAStopTextAndTellsTheEngine) {
  AnswerReader reader({.stop = {"END"}}, kBytes);
  const api::AnswerPart answer = answer_of(reader, "abENDcd", FinishReason::Length);
  EXPECT_EQ(answer.text(Kind::Text), "ab");
  EXPECT_EQ(std::get<std::string>(answer.stopped_by), "END");
  EXPECT_EQ(answer.finish, api::Finish::Stop);
  EXPECT_TRUE(reader.stopped_by_text());
  EXPECT_EQ(answer.tokens.size(), 5U);
  AnswerReader including({.stop = {"END"}, .include_stop = true}, kBytes);
  EXPECT_EQ(answer_of(including, "abENDcd", FinishReason::Length).text(Kind::Text), "abEND");
}

TEST(AnswerReader, GivesOutWhatItHeldBackAtTheEnd) {
  AnswerReader reader({.stop = {"END"}}, kBytes);
  EXPECT_EQ(answer_of(reader, "abEN", FinishReason::Length).text(Kind::Text), "abEN");
  AnswerReader cancelled({.stop = {"END"}}, kBytes);
  EXPECT_EQ(cancelled.push(token('E')).text(Kind::Text), "");
  EXPECT_EQ(cancelled.cancel().text(Kind::Text), "E");
}

TEST(AnswerReader, ScoresGoWithTheirText) {
  AnswerReader reader({.stop = {"bx"}, .logprobs = 1}, kBytes);
  EXPECT_EQ(reader.push(token('a', {}, true)).scores.size(), 1U);
  EXPECT_EQ(reader.push(token('b', {}, true)).scores.size(), 0U);  // may begin the stop text
  const api::AnswerPart both = reader.push(token('c', {}, true));
  ASSERT_EQ(both.scores.size(), 2U);
  EXPECT_EQ(both.scores[0].bytes, "b");
  EXPECT_EQ(both.scores[0].top[0].bytes, "x");
  EXPECT_EQ(both.text(Kind::Text), "bc");
}

TEST(AnswerReader, ScoresOfAStopTextGoNowhere) {
  AnswerReader reader({.stop = {"END"}, .logprobs = 0}, kBytes);
  const api::AnswerPart answer = answer_of(reader, "abEND", FinishReason::Length, true);
  std::string bytes;
  for (const api::TokenScore& score : answer.scores) bytes += score.bytes;
  EXPECT_EQ(bytes, "ab");
}

TEST(AnswerReader, ScoresOfHalfCharactersMakeUpTheText) {
  AnswerReader reader({.logprobs = 0}, kBytes);
  const api::AnswerPart answer = answer_of(reader, "né!", FinishReason::Length, true);
  std::string bytes;
  for (const api::TokenScore& score : answer.scores) bytes += score.bytes;
  EXPECT_EQ(bytes, answer.text(Kind::Text));
}

// Qwen's way to write reasoning and calls.
response::ResponseFormat qwen_format() {
  response::ResponseFormat format;
  format.reasoning_open = "<think>\n";
  format.reasoning_close = "\n</think>\n\n";
  format.calls.kind = response::CallKind::Object;
  format.calls.open = "<tool_call>\n";
  format.calls.close = "\n</tool_call>";
  format.calls.separator = "\n";
  format.calls.keys = {.function = "", .name = "name", .arguments = "arguments", .id = ""};
  format.calls.several = true;
  return format;
}

response::ParserSettings with_tools() {
  response::ParserSettings settings;
  settings.tools =
      response::ToolSchemas(R"([{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])");
  return settings;
}

constexpr std::string_view kCalling =
    "<think>\nhm\n</think>\n\nWell<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>\n"
    "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 2}}\n</tool_call>$";

TEST(AnswerReader, TellsReasoningContentAndCallsApart) {
  const response::ResponseFormat format = qwen_format();
  AnswerReader reader({}, kBytes, {}, {.format = &format, .parser = with_tools()});
  const api::AnswerPart answer = answer_of(reader, kCalling, FinishReason::EndToken);
  EXPECT_EQ(answer.text(Kind::Reasoning), "hm");
  EXPECT_EQ(answer.text(Kind::Text), "Well");
  ASSERT_EQ(answer.calls().size(), 2U);
  EXPECT_EQ(answer.calls()[0].name, "f");
  EXPECT_EQ(OrderedJson::parse(answer.calls()[1].text)["a"], 2);
  EXPECT_EQ(answer.finish, api::Finish::ToolCalls);
  EXPECT_GT(answer.usage.reasoning, 0);
}

TEST(AnswerReader, TellsACallAsItComesWhereItIsCertain) {
  const response::ResponseFormat format = qwen_format();
  const auto pieces = [&](bool streams_calls) {
    AnswerReader reader({}, kBytes, {}, {.format = &format, .parser = with_tools(), .streams_calls = streams_calls});
    std::vector<api::Piece> all;
    for (const char c : kCalling)
      for (const api::Piece& piece : reader.push(token(c)).pieces)
        if (piece.kind == Kind::Call) all.push_back(piece);
    return all;
  };
  const std::vector<api::Piece> streamed = pieces(true), whole = pieces(false);
  EXPECT_EQ(whole.size(), 2U);
  EXPECT_EQ(streamed.size(), 2 + 2 * std::string_view(R"({"a": 1})").size());
  EXPECT_EQ(streamed[0].name, "f");
  EXPECT_EQ(streamed[0].text, "");
  api::AnswerPart joined, expected;
  for (const api::Piece& piece : streamed) joined.append(piece);
  for (const api::Piece& piece : whole) expected.append(piece);
  ASSERT_EQ(joined.calls().size(), 2U);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(joined.calls()[i].text, expected.calls()[i].text);
}

TEST(AnswerReader, AddsUpLogarithmsOfProbabilities) {
  AnswerReader reader({}, kBytes);
  EXPECT_EQ(answer_of(reader, "abc", FinishReason::Length, true).logprob, -3);
}

TEST(AnswerReader, KeepsOneCallWhereOneIsWanted) {
  const response::ResponseFormat format = qwen_format();
  AnswerReader reader({}, kBytes, {},
                      {.format = &format, .parser = with_tools(), .several_calls = false, .tells_calls_as_end = false});
  const api::AnswerPart answer = answer_of(reader, kCalling, FinishReason::EndToken);
  EXPECT_EQ(answer.calls().size(), 1U);
  EXPECT_EQ(answer.finish, api::Finish::Stop);
}

TEST(AnswerReader, ACallThatIsCutEndsWithItsLength) {
  const response::ResponseFormat format = qwen_format();
  AnswerReader reader({}, kBytes, {}, {.format = &format, .parser = with_tools()});
  const api::AnswerPart answer = answer_of(reader, kCalling.substr(0, 80), FinishReason::Length);
  EXPECT_EQ(answer.calls().size(), 1U);
  EXPECT_EQ(answer.finish, api::Finish::Length);
}

TEST(AnswerReader, EchoesThePromptWithItsScores) {
  AnswerReader reader({.logprobs = 0, .echo = true}, kBytes, Echo{"hi", {'h', 'i'}});
  NewToken first = token('a', {}, true);
  first.prompt_logprobs = std::make_shared<std::vector<engine::TokenLogprobs>>(1, engine::TokenLogprobs{-2, {}});
  const api::AnswerPart part = reader.push(first);
  EXPECT_EQ(part.text(Kind::Text), "hia");
  ASSERT_EQ(part.scores.size(), 3U);
  EXPECT_FALSE(part.scores[0].logprob);
  EXPECT_EQ(part.scores[1].logprob, -2.0);
}

TEST(AnswerReader, ScoresTheTokenThatEndsAnEchoedText) {
  AnswerReader reader({.logprobs = 0, .echo = true}, kBytes, Echo{"hi", {'h', 'i'}});
  NewToken last = token('$', FinishReason::EndToken, true);
  last.prompt_logprobs = std::make_shared<std::vector<engine::TokenLogprobs>>(1, engine::TokenLogprobs{-2, {}});
  const api::AnswerPart part = reader.push(last);
  EXPECT_EQ(part.text(Kind::Text), "hi");
  ASSERT_EQ(part.scores.size(), 3U);
  EXPECT_EQ(part.scores[2].bytes, "");
  EXPECT_EQ(part.scores[2].logprob, -1.0);
}

}  // namespace
}  // namespace cleave::server
