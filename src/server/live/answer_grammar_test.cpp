// Random answers that follow a grammar are read as what the grammar says they are.
#include "server/live/answer_grammar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "response/find_format.h"
#include "response/literal.h"
#include "response/mark.h"
#include "response/response_parser.h"
#include "response/testing/templates.h"
#include "text/testing/byte_tokenizer.h"

namespace cleave::server {
namespace {

using response::ResponseEvent;
using Type = ResponseEvent::Type;

const text::testing::ByteTokenizer kBytes;
constexpr int32_t kEnd = 256;

const char* const kTools = R"([{"name": "first", "parameters": {"type": "object", "properties": {
  "s": {"type": "string"}, "n": {"type": "integer"}, "e": {"enum": ["a", "b"]},
  "o": {"type": "object", "properties": {"x": {"type": "array", "items": {"type": "boolean"}}}, "required": ["x"],
        "additionalProperties": false}}, "required": ["s"], "additionalProperties": false}},
  {"name": "second", "parameters": {"type": "object", "properties": {}, "additionalProperties": false}}])";

response::ResponseFormat format_of(const response::TestTemplate& test) {
  return response::find_response_format(text::ChatFormat({{"default", test.source}}, Json::object(), test.name));
}

/// Texts that follow a grammar.
class Writer {
 public:
  Writer(Constraints& constraints, const grammar::Piece& piece, uint32_t seed)
      : grammar_(constraints.grammar_of(fmt::format("test {}", next_key_++), [&] { return compile_piece(piece); })),
        random_(seed) {}

  /// Random bytes for a while; then what brings it to an end the soonest. "" where it finds none.
  std::string write(const std::vector<std::string>& endings) {
    grammar::Matcher matcher(grammar_);
    std::string text;
    for (size_t length = random_() % 120; text.size() < length && !matcher.complete();)
      add(matcher, text, random_byte(matcher));
    for (int step = 0; step < 400 && !matcher.complete(); ++step) {
      const auto fits = [&](const std::string& ending) { return matcher.accept_bytes(ending); };
      const auto ending = std::ranges::find_if(endings, fits);
      if (ending != endings.end())
        text += *ending;
      else
        add(matcher, text, random_byte(matcher));
    }
    return matcher.complete() ? text : "";
  }

 private:
  static void add(grammar::Matcher& matcher, std::string& text, uint8_t byte) {
    matcher.accept(byte);
    text += static_cast<char>(byte);
  }

  // Of all bytes, or of ASCII, which most texts are made of.
  uint8_t random_byte(grammar::Matcher& matcher) {
    std::vector<uint32_t> mask(9, ~0U);
    matcher.mask(mask);
    std::vector<uint8_t> allowed;
    for (int byte = 0; byte < 256; ++byte)
      if ((mask[static_cast<size_t>(byte) / 32] >> byte % 32 & 1) != 0) allowed.push_back(static_cast<uint8_t>(byte));
    std::erase_if(allowed, [&](uint8_t byte) { return byte == 0xff || (byte >= 0x80 && allowed.size() > 64); });
    return allowed[random_() % allowed.size()];
  }

  static inline int next_key_ = 0;
  std::shared_ptr<grammar::TokenGrammar> grammar_;
  std::minstd_rand random_;
};

std::vector<ResponseEvent> read(const response::ResponseFormat& format, std::string_view text, size_t piece,
                                const std::string& prompt, bool is_held) {
  response::ParserSettings settings;
  settings.tools = response::ToolSchemas(kTools);
  settings.prompt = prompt;
  settings.is_held = is_held;
  response::ResponseParser parser(format, std::move(settings));
  std::vector<ResponseEvent> events;
  for (size_t at = 0; at < text.size(); at += piece)
    for (ResponseEvent& event : parser.feed(text.substr(at, piece))) events.push_back(std::move(event));
  for (ResponseEvent& event : parser.finish()) events.push_back(std::move(event));
  return merged(events);
}

void expect_calls(const std::vector<ResponseEvent>& events, const std::string& text) {
  size_t calls = 0;
  for (const ResponseEvent& event : events) {
    EXPECT_NE(event.type, Type::CallDropped) << text;
    EXPECT_TRUE(event.type != Type::CallBegin || event.name == "first" || event.name == "second") << text;
    EXPECT_TRUE(event.type != Type::CallEnd || event.finished) << text;
    if (event.type == Type::CallEnd) ++calls;
    if (event.type != Type::CallArguments) continue;
    const OrderedJson arguments = OrderedJson::parse(event.text, nullptr, false);
    EXPECT_TRUE(arguments.is_object()) << text;
  }
  EXPECT_GT(calls, 0U) << text;
}

std::vector<std::string> endings_of(const response::ResponseFormat& format) {
  std::vector<std::string> endings = {"\"", "}", "]", "true", "1", "a"};
  const response::CallSyntax& calls = format.calls;
  for (const std::string& mark : {calls.section_close, calls.close, calls.arguments.end, calls.arguments.close,
                                  calls.style.quote, format.reasoning_close, format.content_close})
    if (const auto text = response::trimmed(mark); !text.empty()) endings.insert(endings.begin(), std::string(text));
  if (format.channels) endings.insert(endings.begin(), format.channels->ends[0]);
  return endings;
}

const std::vector<response::TestTemplate> kTemplates = {
    response::kHermes, response::kThinkingPrompt, response::kTags,     response::kTypedTags,
    response::kList,   response::kNamed,          response::kNumbered, response::kFenced,
    response::kPython, response::kBare,           response::kWrapped,  response::kChannels};

class AnswerGrammarTest : public testing::TestWithParam<response::TestTemplate> {
 protected:
  const response::ResponseFormat format_ = format_of(GetParam());
  Constraints constraints_{kBytes, std::vector<int32_t>{kEnd}, 257};
  const AnswerGrammar grammar_{constraints_, format_};
  const response::ToolSchemas tools_{kTools};
  const std::vector<std::string> endings_ = endings_of(format_);
};

TEST_P(AnswerGrammarTest, ForcedCallsAreReadAsCalls) {
  const auto calls = call_grammar(format_, tools_, tools_.names(), true);
  ASSERT_TRUE(calls);
  size_t written = 0;
  for (const Reasoning reasoning : {Reasoning::None, Reasoning::Possible, Reasoning::Open}) {
    if (reasoning != Reasoning::None && !format_.reasons()) continue;
    if (reasoning == Reasoning::Open && (format_.channels || format_.reasoning_open.empty())) continue;
    const std::string prompt = reasoning == Reasoning::Open ? format_.reasoning_open : "";
    for (uint32_t seed = 1; seed <= 25; ++seed) {
      const std::string text =
          Writer(constraints_, grammar_.whole(reasoning, std::nullopt, calls), seed).write(endings_);
      if (text.empty()) continue;
      ++written;
      const auto events = read(format_, text, text.size(), prompt, true);
      expect_calls(events, text);
      EXPECT_EQ(read(format_, text, 1, prompt, true), events) << text;
    }
  }
  EXPECT_GT(written, 5U);
}

TEST_P(AnswerGrammarTest, CallsAreHeldFromTheirOpeningOn) {
  const auto openings = call_openings(format_, tools_, tools_.names(), true);
  if (openings.empty()) {
    EXPECT_TRUE(format_.calls.is_bare());
    return;
  }
  const grammar::Piece piece = grammar_.from_openings(openings);
  const std::string before = format_.channels ? format_.channels->channel + "commentary " : "Well, <";
  for (const response::CallGrammar& opening : openings) {
    size_t written = 0;
    for (uint32_t seed = 1; seed <= 15; ++seed) {
      const std::string call =
          Writer(constraints_, grammar_.whole(Reasoning::None, std::nullopt, opening), seed).write(endings_);
      if (call.empty()) continue;
      ++written;
      const std::string text = before + call;
      const auto grammar = constraints_.grammar_of("lazy", [&] { return compile_piece(piece); });
      grammar::Matcher matcher(grammar);
      EXPECT_TRUE(matcher.accept_bytes(before) && matcher.complete());
      EXPECT_TRUE(matcher.accept_bytes(call) && matcher.complete()) << text;
      grammar::Matcher wrong(grammar);
      EXPECT_FALSE(wrong.accept_bytes(opening.opening + "~")) << text;
      expect_calls(read(format_, text, text.size(), "", false), text);
    }
    EXPECT_GT(written, 0U) << "behind " << opening.opening;
  }
}

TEST_P(AnswerGrammarTest, AFormIsContentWhateverItHolds) {
  const auto schema = OrderedJson::parse(R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],
    "additionalProperties":false})");
  const std::string marks =
      format_.reasoning_open + format_.reasoning_close + format_.calls.open + format_.content_close;
  const std::string json = fmt::format("{{\"a\": \"{}\"}}", response::json_escaped(marks + "<think></tool_call>"));
  for (const Reasoning reasoning : {Reasoning::None, Reasoning::Possible}) {
    if (reasoning == Reasoning::Possible && !format_.reasons()) continue;
    const auto grammar = constraints_.grammar_of(fmt::format("form {}", static_cast<int>(reasoning)), [&] {
      return compile_piece(grammar_.whole(reasoning, grammar::Piece::json(schema), std::nullopt));
    });
    std::string text = json;
    if (format_.channels)
      text = format_.channels->channel + format_.channels->content + format_.channels->message + json;
    else if (!format_.content_open.empty())
      text = format_.content_open + json + format_.content_close;
    if (reasoning == Reasoning::Possible && !format_.channels)
      text = std::string(response::trimmed(format_.reasoning_open)) + " hm " + format_.reasoning_close + text;
    grammar::Matcher matcher(grammar);
    ASSERT_TRUE(matcher.accept_bytes(text) && matcher.complete()) << text;
    for (const size_t piece : {text.size(), size_t{1}}) {
      const auto events = read(format_, text, piece, "", true);
      ASSERT_FALSE(events.empty()) << text;
      EXPECT_EQ(events.back().type, Type::Content);
      EXPECT_EQ(events.back().text, json);
    }
  }
}

std::string name_of(const testing::TestParamInfo<response::TestTemplate>& test) {
  std::string name = test.param.name;
  std::erase_if(name, [](char c) { return c == ' '; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Templates, AnswerGrammarTest, testing::ValuesIn(kTemplates), name_of);

TEST(ReasoningOf, IsWhatThePromptAndTheClientSay) {
  response::ResponseFormat format;
  EXPECT_EQ(reasoning_of(format, "x", true), Reasoning::None);
  format.reasoning_open = "<think>\n";
  format.reasoning_close = "\n</think>\n\n";
  EXPECT_EQ(reasoning_of(format, "x", true), Reasoning::Possible);
  EXPECT_EQ(reasoning_of(format, "x", false), Reasoning::None);
  EXPECT_EQ(reasoning_of(format, "x<think>\n", false), Reasoning::Open);
  EXPECT_EQ(reasoning_of(format, "x<think>\n\n</think>\n\n", true), Reasoning::None);
}

}  // namespace
}  // namespace cleave::server
