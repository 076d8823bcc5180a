#include "inference/answer_stream.h"

#include <gtest/gtest.h>

#include <map>

#include "text/testing/byte_tokenizer.h"

namespace cleave::inference {
namespace {

using engine::FinishReason;
using engine::NewToken;

using Bytes = text::testing::ByteTokenizer;

NewToken token(engine::SequenceId sequence, char c, std::optional<FinishReason> finish = {}) {
  return {.sequence = sequence, .token = static_cast<unsigned char>(c), .finish = finish, .usage = {}};
}

TEST(AnswerStream, HoldsBackWhatMayBeginAStopTextAndEndsThere) {
  const Bytes bytes;
  AnswerStream stream(bytes, {"STOP"});
  EXPECT_EQ(stream.push(token(1, 'a')).text, "a");
  EXPECT_EQ(stream.push(token(1, 'S')).text, "");
  EXPECT_EQ(stream.push(token(1, 'T')).text, "");
  EXPECT_EQ(stream.push(token(1, 'O')).text, "");
  const AnswerPart last = stream.push(token(1, 'P'));
  EXPECT_EQ(last.text, "");
  EXPECT_EQ(last.finish, FinishReason::StopText);
}

TEST(AnswerStream, GivesWhatWasHeldBackWhereTheAnswerEndsOtherwise) {
  const Bytes bytes;
  AnswerStream stream(bytes, {"STOP"});
  EXPECT_EQ(stream.push(token(1, 'S')).text, "");
  const AnswerPart last = stream.push(token(1, 'T', FinishReason::Length));
  EXPECT_EQ(last.text, "ST");
  EXPECT_EQ(last.finish, FinishReason::Length);
  AnswerStream cancelled(bytes, {"STOP"});
  EXPECT_EQ(cancelled.push(token(1, 'S')).text, "");
  EXPECT_EQ(cancelled.cancel().text, "S");
}

TEST(AnswerStream, AnEndTokenIsNoText) {
  const Bytes bytes;
  AnswerStream stream(bytes, {});
  EXPECT_EQ(stream.push(token(1, 'a')).text, "a");
  const AnswerPart last = stream.push(token(1, 'z', FinishReason::EndToken));
  EXPECT_EQ(last.text, "");
  EXPECT_EQ(last.finish, FinishReason::EndToken);
}

TEST(AnswerStreams, TextsOfSequencesThatShareStepsDoNotMix) {
  const Bytes bytes;
  AnswerStreams streams(bytes);
  std::map<engine::SequenceId, std::string> texts;
  streams.begin(1, {"y"});
  streams.begin(2, {});
  // One character of each in turns, of which both halves come apart: C3 A9 is e with an acute accent.
  const std::pair<engine::SequenceId, char> order[] = {{1, '\xc3'}, {2, 'x'}, {1, '\xa9'}, {2, 'y'}, {1, 'z'}};
  for (const auto& [sequence, c] : order) texts[sequence] += streams.push(token(sequence, c)).value().text;
  EXPECT_EQ(texts[1], "\xc3\xa9z");
  EXPECT_EQ(texts[2], "xy") << "a stop text of another answer";
  EXPECT_EQ(streams.push(token(1, 'y')).value().finish, FinishReason::StopText);
  EXPECT_FALSE(streams.push(token(1, 'z'))) << "a token that comes late";
  EXPECT_FALSE(streams.empty());
  streams.push({.sequence = 2, .finish = FinishReason::Cancelled, .usage = {}});
  EXPECT_TRUE(streams.empty());
}

}  // namespace
}  // namespace cleave::inference
