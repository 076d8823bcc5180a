#include "inference/answer_stream.h"

#include <gtest/gtest.h>

#include <map>

namespace cleave::inference {
namespace {

using engine::FinishReason;
using engine::NewToken;

/// Every byte is a token of that number.
class Bytes final : public text::Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view text, bool) const override {
    std::vector<int32_t> ids;
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  std::string decode(std::span<const int32_t> ids, bool) const override {
    std::string text;
    for (const int32_t id : ids) text += static_cast<char>(id);
    return text;
  }
  std::string token_bytes(int32_t id) const override { return std::string(1, static_cast<char>(id)); }
  int32_t vocab_size() const override { return 256; }
  bool is_special(int32_t) const override { return false; }
  std::optional<int32_t> token_id(std::string_view) const override { return std::nullopt; }
};

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
