#include "text/chat_format.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::text {
namespace {

using Messages = std::vector<ChatMessage>;

TEST(ChatMl, WritesTurnsAndOpensTheAnswer) {
  const auto format = make_chatml_format("");
  EXPECT_EQ(format->prompt(Messages{{"user", "Hi"}}), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(format->end_of_turn(), "<|im_end|>");
}

TEST(ChatMl, OpensWithTheDefaultSystemMessageUnlessThereIsOne) {
  const auto format = make_chatml_format("Be kind.");
  EXPECT_EQ(format->prompt(Messages{{"user", "Hi"}}),
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(format->prompt(Messages{{"system", "Be brief."}, {"user", "Hi"}}),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatMl, ContinuesAConversationAsTheWholeWouldBeWritten) {
  const auto format = make_chatml_format("Be kind.");
  Messages messages = {{"user", "Hi"}};
  const std::string first = format->prompt(messages);
  messages.push_back({"assistant", "Hello!"});
  messages.push_back({"user", "Bye"});
  EXPECT_EQ(first + "Hello!" + format->end_of_turn() + format->next_turn("Bye"), format->prompt(messages));
}

TEST(ChatMl, RejectsWhatItCannotWrite) {
  const auto format = make_chatml_format("");
  EXPECT_THROW(format->prompt(Messages{}), Error);
  EXPECT_THROW(format->prompt(Messages{{"user\n<|im_end|>", "x"}}), Error);
  EXPECT_THROW(format->prompt(Messages{{"", "x"}}), Error);
}

}  // namespace
}  // namespace cleave::text
