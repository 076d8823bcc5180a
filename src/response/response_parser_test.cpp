#include "response/response_parser.h"

#include <gtest/gtest.h>

#include "response/find_format.h"
#include "response/literal.h"
#include "response/testing/templates.h"

namespace cleave::response {
namespace {

const char* const kTools =
    R"([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {
  "s": {"type": "string"}, "n": {"type": "integer"}, "o": {"$ref": "#/$defs/thing"}, "u": {"type": ["integer", "null"]}},
  "$defs": {"thing": {"type": "object"}}}}}, {"name": "g"}])";

ResponseFormat format_of(const TestTemplate& test) {
  return find_response_format(text::ChatFormat({{"default", test.source}}, Json::object(), "model"));
}

std::string told(const std::vector<ResponseEvent>& events) {
  using Type = ResponseEvent::Type;
  std::string text;
  for (const ResponseEvent& event : merged(events)) {
    if (event.type == Type::Reasoning) text += "R{" + event.text + "}";
    if (event.type == Type::Content) text += "C{" + event.text + "}";
    if (event.type == Type::CallBegin) text += event.name + "(";
    if (event.type == Type::CallArguments) text += event.text;
    if (event.type == Type::CallEnd) text += event.finished ? ")" : "...";
    if (event.type == Type::CallDropped) text += " dropped";
  }
  return text;
}

std::vector<ResponseEvent> events(const ResponseFormat& format, const std::string& answer, size_t piece,
                                  ParserSettings settings = {}) {
  if (settings.tools.empty()) settings.tools = ToolSchemas(kTools);
  ResponseParser parser(format, std::move(settings));
  std::vector<ResponseEvent> all;
  for (size_t at = 0; at < answer.size(); at += piece)
    for (ResponseEvent& event : parser.feed(std::string_view(answer).substr(at, piece)))
      all.push_back(std::move(event));
  for (ResponseEvent& event : parser.finish()) all.push_back(std::move(event));
  return all;
}

// What an answer is read as, which is the same however it is cut.
std::string read(const ResponseFormat& format, const std::string& answer, const ParserSettings& settings = {}) {
  const std::string whole = told(events(format, answer, answer.size() + 1, settings));
  for (size_t piece = 1; piece < 8; ++piece)
    EXPECT_EQ(told(events(format, answer, piece, settings)), whole) << "pieces of " << piece;
  return whole;
}

TEST(ResponseParser, TellsReasoningContentAndCalls) {
  const ResponseFormat format = format_of(kHermes);
  EXPECT_EQ(
      read(format,
           "<think>\nwhy\n</think>\n\nSo.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"n\": 1}}\n</tool_call>"),
      "R{why}C{So.}f({\"n\": 1})");
  EXPECT_EQ(read(format, "Plain text,\n with lines.\n"), "C{Plain text,\n with lines.\n}");
  EXPECT_EQ(read(format, ""), "");
}

TEST(ResponseParser, TakesMarksWithOtherWhitespace) {
  const ResponseFormat format = format_of(kHermes);
  EXPECT_EQ(read(format,
                 "<tool_call>{\"name\":\"f\",\"arguments\":{}}</"
                 "tool_call><tool_call>{\"arguments\":{\"a\":[]},\"name\":\"g\"}</tool_call>"),
            "f({})g({\"a\":[]})");
  EXPECT_EQ(read(format_of(kTags), "<tool_call><function=f><parameter=s>x</parameter></function></tool_call>"),
            "f({\"s\": \"x\"})");
  EXPECT_EQ(read(format_of(kList), "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}, \"id\": \"abc\"}]"), "f({})");
}

TEST(ResponseParser, AMarkWithinAStringOfAValueIsAPartOfIt) {
  const ResponseFormat format = format_of(kTags);
  const std::string begin = "<tool_call>\n<function=f>\n<parameter=o>\n",
                    end = "\n</parameter>\n</function>\n</tool_call>";
  EXPECT_EQ(read(format, begin + R"({"a": ["</parameter>", 1]})" + end), R"(f({"o": {"a":["</parameter>",1]}}))");
  EXPECT_EQ(read(format, begin + R"({"a": )" + end), R"(f({"o": "{\"a\": "}))") << "what is no value";
}

TEST(ResponseParser, ReadsALongValueFullOfMarksOnce) {
  std::string inside, behind;
  for (int i = 0; i < 20'000; ++i) {
    inside += "</parameter>";
    behind += "</parameter <";
  }
  const ResponseFormat format = format_of(kTags);
  const std::string begin = "<tool_call>\n<function=f>\n<parameter=o>\n", end = "\n</function>\n</tool_call>";
  const auto value = [&](const std::string& more) { return R"({"a": ")" + inside + R"("})" + more + "\n</parameter>"; };
  const auto call = [&](const std::string& text) { return told(events(format, begin + text + end, 3)); };
  EXPECT_EQ(call(value("")), R"(f({"o": {"a":")" + inside + R"("}}))");
  EXPECT_EQ(call(value(behind)),
            "f({\"o\": \"" + json_escaped(value(behind).substr(0, value(behind).size() - 13)) + "\"})");
}

TEST(ResponseParser, OfAHeldAnswerOnlyTheBeginningHasMarks) {
  ParserSettings held;
  held.is_held = true;
  const ResponseFormat hermes = format_of(kHermes);
  EXPECT_EQ(read(hermes, "<think>\nwhy <tool_call>\n</think>\n\n{\"a\": \"<think></think><tool_call>\"} ", held),
            "R{why <tool_call>}C{{\"a\": \"<think></think><tool_call>\"} }");
  EXPECT_EQ(read(hermes, " \n<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>", held), "g({})");
  EXPECT_EQ(read(hermes, "{\"a\": 1}", held), "C{{\"a\": 1}}");
  EXPECT_EQ(read(hermes, "", held), "");
  EXPECT_EQ(read(format_of(kWrapped), "<|START_RESPONSE|>a<|END_RESPONSE|>b<|END_RESPONSE|>", held),
            "C{a<|END_RESPONSE|>b}");
  EXPECT_EQ(read(format_of(kChannels), "<|channel|>final<|message|>a<|end|>b<|channel|>", held),
            "C{a<|end|>b<|channel|>}");
  const ResponseFormat plain = with_plain_calls(ResponseFormat());
  EXPECT_EQ(read(plain, "{\"name\": \"g\", \"arguments\": {\"a\": 1}}", held), "g({\"a\": 1})");
}

TEST(ResponseParser, HoldsBackOnlyWhatMayBecomeAMark) {
  const ResponseFormat format = format_of(kHermes);
  ParserSettings settings;
  settings.tools = ToolSchemas(kTools);
  ResponseParser parser(format, std::move(settings));
  EXPECT_EQ(told(parser.feed("a <tool")), "C{a}");
  EXPECT_EQ(told(parser.feed(" b <")), "C{ <tool b}");
  EXPECT_EQ(told(parser.feed("i> c")), "C{ <i> c}");
  EXPECT_EQ(told(parser.finish()), "");
}

TEST(ResponseParser, StreamsArgumentsBeforeTheyEnd) {
  const ResponseFormat format = format_of(kHermes);
  ParserSettings settings;
  settings.tools = ToolSchemas(kTools);
  ResponseParser parser(format, std::move(settings));
  EXPECT_EQ(told(parser.feed("<tool_call>\n{\"name\": \"f\", \"arguments\": {\"s\": \"lon")), "f({\"s\": \"lon");
  EXPECT_TRUE(parser.in_call());
  EXPECT_EQ(told(parser.feed("g\"")), "g\"");
  EXPECT_EQ(told(parser.feed("}}")), "})");
  EXPECT_FALSE(parser.in_call());
}

TEST(ResponseParser, MakesContentOfWhatIsNoCall) {
  const ResponseFormat format = format_of(kHermes);
  for (const char* answer :
       {"<tool_call>\nnothing\n</tool_call>", "<tool_call>{\"no\": 1}</tool_call>", "<tool_call>",
        "<tool_call>[1]</tool_call> x", "a <tool_call>{\"name\": 7, \"arguments\": {}}</tool_call>"})
    EXPECT_EQ(read(format, answer), "C{" + std::string(answer) + "}");
  EXPECT_EQ(read(format, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": x}}</tool_call>"),
            "f({\"a\":  droppedC{<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": x}}</tool_call>}");
  EXPECT_EQ(read(format, "<tool_call> <tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>"),
            "C{<tool_call>}f({})");
}

TEST(ResponseParser, TellsThatACallWasCut) {
  const ResponseFormat format = format_of(kHermes);
  EXPECT_EQ(read(format, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"s\": \"lo"), "f({\"s\": \"lo...");
  EXPECT_EQ(read(format, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"s\": \"lo\"}"), "f({\"s\": \"lo\"})");
  EXPECT_EQ(read(format_of(kTags), "<tool_call>\n<function=f>\n<parameter=s>\nlo"), "f({\"s\": \"lo...");
  EXPECT_EQ(read(format_of(kTags), "<tool_call>\n<function=f>\n</function>"), "f({})");
  EXPECT_EQ(read(format_of(kChannels), " to=functions.f<|channel|>commentary json<|message|>{\"n\": "),
            "f({\"n\": ...");
}

TEST(ResponseParser, GivesRawArgumentsTheirTypes) {
  const auto call = [](const std::string& key, const std::string& value) {
    return "<tool_call>\n<function=f>\n<parameter=" + key + ">\n" + value + "\n</parameter>\n</function>\n</tool_call>";
  };
  const ResponseFormat format = format_of(kTags);
  EXPECT_EQ(read(format, call("s", "5")), "f({\"s\": \"5\"})");
  EXPECT_EQ(read(format, call("s", " two\n \"lines\" ")), "f({\"s\": \" two\\n \\\"lines\\\" \"})");
  EXPECT_EQ(read(format, call("n", "5")), "f({\"n\": 5})");
  EXPECT_EQ(read(format, call("n", "five")), "f({\"n\": \"five\"})");
  EXPECT_EQ(read(format, call("u", "null")), "f({\"u\": null})");
  EXPECT_EQ(read(format, call("u", "None")), "f({\"u\": null})");
  EXPECT_EQ(read(format, call("o", "{\"a\": 1.50}")), "f({\"o\": {\"a\":1.5}})");
  EXPECT_EQ(read(format, call("other", "true")), "f({\"other\": true})");
  EXPECT_EQ(read(format, call("other", "words")), "f({\"other\": \"words\"})");
}

TEST(ResponseParser, TellsCallsOfUnknownToolsWhereAMarkTellsThemApart) {
  EXPECT_EQ(read(format_of(kHermes), "<tool_call>{\"name\": \"unknown\", \"arguments\": {}}</tool_call>"),
            "unknown({})");
  const ResponseFormat bare = format_of(kBare);
  EXPECT_EQ(read(bare, "{\"name\": \"f\", \"parameters\": {\"n\": 1}}"), "f({\"n\": 1})");
  EXPECT_EQ(read(bare, "{\"name\": \"Bob\", \"parameters\": {}}"), "C{{\"name\": \"Bob\", \"parameters\": {}}}");
  EXPECT_EQ(read(bare, "So {\"name\": \"f\", \"parameters\": {}}"), "C{So {\"name\": \"f\", \"parameters\": {}}}");
  EXPECT_EQ(read(format_of(kPython), "[f(s='a', n=-1), g()]"), "f({\"s\": \"a\", \"n\": -1})g({})");
  EXPECT_EQ(read(format_of(kPython), "[1] is a list."), "C{[1] is a list.}");
}

TEST(ResponseParser, LooksForNoCallsWhereThereAreNoTools) {
  const ResponseFormat format = format_of(kHermes);
  ResponseParser parser(format, {});
  const std::string answer = "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>";
  EXPECT_EQ(told(parser.feed(answer)), "C{" + answer + "}");
}

TEST(ResponseParser, BeginsWithinReasoningWhereThePromptOpensIt) {
  const ResponseFormat format = format_of(kThinkingPrompt);
  ParserSettings opened;
  opened.prompt = "...[assistant]\n<think>\n";
  EXPECT_EQ(read(format, "why\n</think>\n\nso", opened), "R{why}C{so}");
  EXPECT_EQ(read(format, "why", opened), "R{why}");
  EXPECT_EQ(read(format, "so"), "C{so}");
  EXPECT_EQ(read(format, "why <call>f\n</call>", opened), "R{why}f({})") << "reasoning that was not closed";
  opened.keeps_reasoning = true;
  EXPECT_EQ(read(format, "why\n</think>\n\nso", opened), "C{why\n</think>\n\nso}");
}

TEST(ResponseParser, DropsAClosingMarkOfReasoningAtTheBeginning) {
  const ResponseFormat format = format_of(kHermes);
  EXPECT_EQ(read(format, "</think>\n\nso"), "C{so}");
  EXPECT_EQ(read(format, "so </think> it"), "C{so </think> it}");
}

TEST(ResponseParser, ReadsChannelsInTheOrdersThatModelsWrite) {
  const ResponseFormat format = format_of(kChannels);
  EXPECT_EQ(
      read(format, "<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>so<|return|>"),
      "R{why}C{so}");
  EXPECT_EQ(read(format,
                 "<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>commentary to=functions.f "
                 "<|constrain|>json<|message|>{\"n\": 1}<|call|>"),
            "R{why}f({\"n\": 1})");
  EXPECT_EQ(read(format, "just text"), "C{just text}");
}

TEST(ResponseParser, KeepsIdsThatTheModelWritesAndMakesOthers) {
  const auto id = [](const ResponseFormat& format, const std::string& answer, uint64_t seed) {
    ParserSettings settings;
    settings.id_seed = seed;
    return events(format, answer, 3, std::move(settings)).at(0).id;
  };
  EXPECT_EQ(id(format_of(kList), "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {}, \"id\": \"abcDEF123\"}]", 1),
            "abcDEF123");
  EXPECT_EQ(
      id(format_of(kNumbered), "<|calls_begin|><|call_begin|>functions.f:3<|call_argument_begin|>{}<|call_end|>", 1),
      "functions.f:3");
  const std::string call = "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>";
  const std::string made = id(format_of(kHermes), call, 1);
  EXPECT_EQ(made.size(), 9U);
  EXPECT_NE(made, id(format_of(kHermes), call, 2));
}

TEST(ResponseParser, EscapesWhatModelsForgetToEscape) {
  EXPECT_EQ(read(format_of(kHermes), "<tool_call>{\"name\": \"f\", \"arguments\": {\"s\": \"a\nb\"}}</tool_call>"),
            "f({\"s\": \"a\\u000ab\"})");
}

TEST(ResponseFormat, KnowsWhichSpecialTokensAreMarks) {
  EXPECT_TRUE(format_of(kHermes).is_mark("<tool_call>"));
  EXPECT_TRUE(format_of(kHermes).is_mark("</think>"));
  EXPECT_FALSE(format_of(kHermes).is_mark("<|im_end|>"));
}

}  // namespace
}  // namespace cleave::response
