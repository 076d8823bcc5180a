#include "response/declared_format.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "response/response_parser.h"
#include "response/simple_pattern.h"

namespace cleave::response {
namespace {

ResponseFormat declared(const std::string& json) {
  return declared_format(parse_ordered_json(json, "test"), {});
}

std::string read(const ResponseFormat& format, const std::string& answer) {
  ParserSettings settings;
  settings.tools = ToolSchemas(
      R"x([{"name": "f", "parameters": {"properties": {"s": {"type": "string"}, "n": {"type": "integer"}}}}])x");
  ResponseParser parser(format, std::move(settings));
  std::string text;
  std::vector<ResponseEvent> events = parser.feed(answer);
  for (const ResponseEvent& event : parser.finish()) events.push_back(event);
  for (const ResponseEvent& event : events) text += event.name + event.text + "|";
  return text;
}

TEST(DeclaredFormat, ReadsObjectsInTags) {
  const ResponseFormat format = declared(R"x({"version": 1, "defaults": {"role": "assistant"}, "fields": {
    "thinking": {"open": "<think>", "close": "</think>"}, "content": {},
    "tool_calls": {"open": "<tool_call>", "close": "</tool_call>", "content": "json", "repeats": true,
      "transform": {"type": "function", "function": {"name": "{content.name}", "arguments": "{content.arguments}"}}}}})x");
  EXPECT_EQ(format.source, FormatSource::Declared);
  EXPECT_EQ(read(format, "<think>why</think>so<tool_call>{\"name\": \"f\", \"arguments\": {\"n\": 1}}</tool_call>"),
            "why|so|f|{\"n\": 1}||");
}

TEST(DeclaredFormat, ReadsTagsInPatterns) {
  const ResponseFormat format = declared(R"x({"fields": {"tool_calls": {
    "open_pattern": "<tool_call>\\s*<function=(?P<name>[^>]+)>\\s*", "close_pattern": "</function>\\s*</tool_call>",
    "content": "xml-inline", "repeats": true,
    "content_args": {"tag_pattern": "<parameter=(?P<key>[^>]+)>\\n(?P<value>.*?)\\n</parameter>"},
    "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}}}}})x");
  EXPECT_EQ(read(format, "<tool_call>\n<function=f>\n<parameter=s>\n5\n</parameter>\n</function>\n</tool_call>"),
            "f|{\"s\": \"5\"}||");
}

TEST(DeclaredFormat, ReadsOtherNotations) {
  const ResponseFormat gemma = declared(R"x({"fields": {"tool_calls": {
    "open_pattern": "<\\|tool_call>call:(?P<name>\\w+)", "close": "<tool_call|>", "content": "json",
    "content_args": {"unquoted_keys": true, "string_delims": [["<|\"|>", "<|\"|>"]]},
    "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}}}}})x");
  EXPECT_EQ(read(gemma, "<|tool_call>call:f{s:<|\"|>a \"b\"<|\"|>,n:1}<tool_call|>"),
            "f|{\"s\":\"a \\\"b\\\"\",\"n\":1}||");
  const ResponseFormat python = declared(R"x({"fields": {"tool_calls": {"open": "<|start|>", "close": "<|stop|>",
    "content": "python-call-list", "transform_each": true,
    "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{arguments}"}}}}})x");
  EXPECT_EQ(read(python, "<|start|>[f(s='x', n=2), f()]<|stop|>"), "f|{\"s\": \"x\", \"n\": 2}||f|{}||");
}

TEST(DeclaredFormat, RefusesWhatItDoesNotKnow) {
  const auto kind = [](const std::string& json) {
    try {
      declared(json);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::Internal;
  };
  EXPECT_EQ(kind("[]"), ErrorKind::Corrupt);
  EXPECT_EQ(kind(R"x({"version": 2, "fields": {}})x"), ErrorKind::Unsupported);
  EXPECT_EQ(kind(R"x({"fields": {}, "new": 1})x"), ErrorKind::Unsupported);
  EXPECT_EQ(kind(R"x({"fields": {"thinking": {"open_pattern": "<a|b>", "close": "</a>"}}})x"), ErrorKind::Unsupported);
  EXPECT_EQ(kind(R"x({"fields": {"tool_calls": {"open": "x", "content": "kv-lines"}}})x"), ErrorKind::Unsupported);
}

TEST(SimplePattern, KeepsLiteralsAndNames) {
  const auto parts = simple_pattern(R"x(<\|call\|>\s*(?P<name>[\w(]+)\n?\[a\](?=x))x");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 3U);
  EXPECT_EQ((*parts)[0].text, "<|call|> ");
  EXPECT_EQ((*parts)[1].text, "name");
  EXPECT_EQ((*parts)[2].text, " [a]");
  EXPECT_FALSE(simple_pattern("a.*b"));
  EXPECT_FALSE(simple_pattern("(a|b)"));
}

}  // namespace
}  // namespace cleave::response
