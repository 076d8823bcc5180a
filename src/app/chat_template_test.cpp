#include "app/chat_template.h"

#include <gtest/gtest.h>

namespace cleave::app {
namespace {

TEST(ChatTemplate, FindsTheSystemMessageThatATemplateAddsByItself) {
  const char* text =
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
      "{{ '<|im_start|>system\nYou are a helpful AI assistant<|im_end|>\n' }}{% endif %}"
      "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}";
  EXPECT_TRUE(is_chatml(text));
  EXPECT_EQ(default_system_message(text), "You are a helpful AI assistant");
}

TEST(ChatTemplate, ReadsTheEscapeOfANewline) {
  EXPECT_EQ(default_system_message(R"({{- '<|im_start|>system\nOne.\nTwo.<|im_end|>\n' }})"), "One.\nTwo.");
}

TEST(ChatTemplate, TakesNoneWhereTheTemplateComputesIt) {
  EXPECT_EQ(default_system_message(R"({{ '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }})"), "");
  EXPECT_EQ(default_system_message(R"(<|im_start|>system\n{{ system }}<|im_end|>)"), "");
  EXPECT_EQ(default_system_message(R"({{ '<|im_start|>system\nYou are ')"), "");
  EXPECT_EQ(default_system_message(R"({{ '<|im_start|>user\nHello<|im_end|>' }})"), "");
  EXPECT_EQ(default_system_message(""), "");
}

TEST(ChatTemplate, TakesNoneWhereTwoDiffer) {
  EXPECT_EQ(default_system_message("<|im_start|>system\nA<|im_end|><|im_start|>system\nB<|im_end|>"), "");
  EXPECT_EQ(default_system_message("<|im_start|>system\nA<|im_end|><|im_start|>system\nA<|im_end|>"), "A");
}

TEST(ChatTemplate, KnowsOtherFormatsFromChatml) {
  EXPECT_FALSE(is_chatml("<|start_header_id|>{{ message['role'] }}<|end_header_id|>"));
  EXPECT_FALSE(is_chatml(""));
}

}  // namespace
}  // namespace cleave::app
