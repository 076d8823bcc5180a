#include "response/conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "response/messages.h"

namespace cleave::response {
namespace {

using ::testing::HasSubstr;

std::string written(const std::string& messages, const MessageTraits& traits = {}) {
  return template_messages(parse_ordered_json(messages, "messages"), traits).dump();
}

std::string refusal(const std::string& messages) {
  try {
    return written(messages);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
    return error.what();
  }
}

std::string prompt(const std::string& source, const std::string& messages) {
  text::ChatRequest request;
  request.messages = messages;
  return render_conversation(text::ChatFormat({{"default", source}}, Json::object(), "model"), request, {});
}

const char* const kCall = R"([{"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
  "function": {"name": "f", "arguments": "{\"b\": 1, \"a\": {\"c\": [2.0]}}"}}]},
  {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "7"}]}])";

TEST(TemplateMessages, MakesObjectsOfArgumentsInTheirOrderAndNamesResults) {
  EXPECT_EQ(
      written(kCall),
      R"([{"role":"assistant","content":"","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f",)"
      R"("arguments":{"b":1,"a":{"c":[2.0]}}}}]},)"
      R"({"role":"tool","tool_call_id":"call_1","content":"7","name":"f"}])");
}

TEST(TemplateMessages, FollowsTheTraitsOfATemplate) {
  MessageTraits traits;
  traits.arguments_are_objects = false;
  traits.call_content_is_null = true;
  traits.ids_are_short = true;
  const OrderedJson messages = template_messages(parse_ordered_json(kCall, "messages"), traits);
  EXPECT_TRUE(messages[0]["content"].is_null());
  EXPECT_EQ(messages[0]["tool_calls"][0]["function"]["arguments"], R"({"b": 1, "a": {"c": [2.0]}})");
  EXPECT_EQ(messages[0]["tool_calls"][0]["id"].get<std::string>().size(), 9U);
  EXPECT_EQ(messages[0]["tool_calls"][0]["id"], messages[1]["tool_call_id"]);
  EXPECT_EQ(short_id("abcdeFG12"), "abcdeFG12");
}

TEST(TemplateMessages, GivesReasoningTheNameThatTheTemplateReads) {
  MessageTraits traits;
  traits.reasoning_key = "thinking";
  const std::string reasoning = R"([{"role": "assistant", "content": "x", "reasoning": "why"}])";
  EXPECT_EQ(written(reasoning, traits), R"([{"role":"assistant","content":"x","thinking":"why"}])");
  traits.reasoning_is_part = true;
  EXPECT_EQ(written(reasoning, traits),
            R"([{"role":"assistant","content":[{"type":"thinking","thinking":"why"},{"type":"text","text":"x"}]}])");
  traits.reasoning_is_part = false;
  traits.reasoning_key = "";
  EXPECT_EQ(written(reasoning, traits), R"([{"role":"assistant","content":"x"}])");
}

TEST(TemplateMessages, ReadsOldFormsAndParts) {
  EXPECT_EQ(
      written(
          R"([{"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}]}])"),
      R"([{"role":"system","content":"ab"}])");
  EXPECT_EQ(
      written(R"([{"role": "assistant", "function_call": {"name": "f", "arguments": ""}}])"),
      R"([{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":{}}}],"content":""}])");
}

TEST(TemplateMessages, SaysWhereAConversationIsNone) {
  EXPECT_THAT(refusal("[]"), HasSubstr("messages: wanted a list"));
  EXPECT_THAT(refusal(R"([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}])"),
              HasSubstr("messages[0].content[0]: a part of type \"image_url\""));
  EXPECT_THAT(refusal(R"([{"content": "x"}])"), HasSubstr("messages[0]: wanted a string \"role\""));
  EXPECT_THAT(refusal(R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}])"),
              HasSubstr("messages[0].tool_calls[0].function.arguments: not valid JSON"));
}

TEST(RenderConversation, TellsSystemMessagesWhereTheTemplateTakesThem) {
  const std::string late = R"([{"role": "user", "content": "hi"}, {"role": "system", "content": "late"}])";
  const std::string all = "{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}";
  EXPECT_EQ(prompt(all, late), "user=hi;system=late;");
  const std::string only_first =
      "{% for m in messages %}{% if m.role == 'system' and loop.index0 > 0 %}{{ raise_exception('late') }}{% endif %}"
      "{{ m.role }}={{ m.content }};{% endfor %}";
  EXPECT_EQ(prompt(only_first, late), "system=late;user=hi;");
  const std::string drops = "{% for m in messages if m.role != 'system' %}{{ m.role }}={{ m.content }};{% endfor %}";
  EXPECT_EQ(prompt(drops, late), "user=late\n\nhi;");
}

TEST(RenderConversation, JoinsNeighboursOnlyWhereTheTemplateWantsTurns) {
  const std::string two = R"([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])";
  const std::string turns =
      "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns') }}"
      "{% endif %}{{ m.content }};{% endfor %}";
  EXPECT_EQ(prompt(turns, two), "a\n\nb;");
  EXPECT_EQ(prompt("{% for m in messages %}{{ m.content }};{% endfor %}", two), "a;b;");
}

TEST(RenderConversation, KeepsTheTemplatesOwnRefusal) {
  try {
    prompt("{{ raise_exception('No roles today') }}", R"([{"role": "user", "content": "a"}])");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("No roles today"));
  }
}

}  // namespace
}  // namespace cleave::response
