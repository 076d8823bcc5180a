#include "text/chat/chat_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::text {
namespace {

using ::testing::HasSubstr;

ChatFormat format(const std::string& source) {
  return {{{"default", source}}, {{"bos_token", "<s>"}, {"eos_token", "</s>"}}, "model"};
}

const char* const kInstruct =
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content | trim }}{{ eos_token }}{% endif %}{% endfor %}";

TEST(ChatFormat, WritesConversationsWithTheModelsSpecialTokens) {
  const std::vector<ChatMessage> messages = {{"user", "Hi"}, {"assistant", "Yes?"}, {"user", "Bye"}};
  EXPECT_EQ(format(kInstruct).prompt(messages, 0), "<s>[INST] Hi [/INST] Yes?</s>[INST] Bye [/INST]");
}

TEST(ChatFormat, WritesChatMlWhereAModelHasItsTokensButNoTemplate) {
  const std::vector<ChatMessage> messages = {{"system", "Be brief."}, {"user", "Hi"}};
  EXPECT_EQ(format(kChatMlTemplate).prompt(messages, 0),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatFormat, ContinuesTheFinalMessage) {
  ChatRequest request;
  request.messages = to_json(std::vector<ChatMessage>{{"user", "Hi"}, {"assistant", " Well, "}});
  request.add_generation_prompt = false;
  request.continue_final_message = true;
  EXPECT_EQ(format(kInstruct).render(request), "<s>[INST] Hi [/INST] Well,") << "the template trims the message";
  request.messages = to_json(std::vector<ChatMessage>{{"user", "Hi "}});
  EXPECT_EQ(format(kInstruct).render(request), "<s>[INST] Hi ");
  request.add_generation_prompt = true;
  EXPECT_THROW(format(kInstruct).render(request), Error);
}

TEST(ChatFormat, WritesToolsInTheOrderOfTheirKeys) {
  ChatRequest request;
  request.messages = "[]";
  request.tools = R"([{"type": "function", "function": {"name": "f", "arguments": {}}}])";
  request.variables = R"({"thinking": true})";
  EXPECT_EQ(format("{{ tools | tojson }}{{ documents }}{{ thinking }}").render(request), request.tools + "NoneTrue");
}

TEST(ChatFormat, TakesTheTemplateForToolsWhereThereAreTools) {
  const ChatFormat both({{"default", "plain"}, {"tool_use", "tools"}, {"rag", "documents"}}, Json::object(), "model");
  ChatRequest request;
  request.messages = "[]";
  EXPECT_EQ(both.render(request), "plain");
  request.tools = "[{}]";
  EXPECT_EQ(both.render(request), "tools");
  request.template_name = "rag";
  EXPECT_EQ(both.render(request), "documents");
  request.template_name = "other";
  try {
    both.render(request);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("default, rag, tool_use"));
  }
}

TEST(ChatFormat, FillsInWhatVariablesLack) {
  const ChatFormat all({{"default", "{{ bos_token }}{{ tools }}{{ documents }}{{ add_generation_prompt }}{{ x }}"},
                        {"tool_use", "with tools"}},
                       {{"bos_token", "<s>"}}, "model");
  EXPECT_EQ(all.render_variables("{}", "", 0), "<s>NoneNoneTrue");
  EXPECT_EQ(all.render_variables(R"({"bos_token": "B", "add_generation_prompt": false, "x": 1})", "", 0),
            "BNoneNoneFalse1");
  EXPECT_EQ(all.render_variables(R"({"tools": [{}]})", "", 0), "with tools");
  EXPECT_EQ(all.render_variables(R"({"tools": []})", "", 0), "<s>[]NoneTrue");
  EXPECT_THROW(all.render_variables("[]", "", 0), Error);
}

TEST(ChatFormat, TellsWhatEndsAnAnswer) {
  EXPECT_EQ(format(kInstruct).behind_answer(), "</s>");
  EXPECT_EQ(format(kChatMlTemplate).behind_answer(), "<|im_end|>\n");
  EXPECT_EQ(format("{{ raise_exception('no') }}").behind_answer(), "");
}

TEST(ChatFormat, FindsABrokenTemplateAtOnce) {
  EXPECT_THROW(format("{% if %}"), Error);
}

}  // namespace
}  // namespace cleave::text
