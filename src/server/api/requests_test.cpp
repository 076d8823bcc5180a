// Requests of all APIs as they are read: what becomes of their fields, and how mistakes are told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/api/chat.h"
#include "server/api/completions.h"
#include "server/api/failure.h"
#include "server/api/field.h"
#include "server/api/messages.h"
#include "server/api/responses.h"

namespace cleave::server::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Read = Translation (*)(const OrderedJson&, const Context&);

Generation read(Read translate, const std::string& body) {
  return translate(parse_body(body), {"served", 1}).generation;
}

Generation chat(const std::string& more) {
  return read(read_chat, R"({"messages":[{"role":"user","content":"hi"}])" + more + "}");
}

// The failure that a request is refused with; it has status 0 where it is not.
template <class Work>
Failure failure(const Work& work) {
  try {
    work();
  } catch (const Refusal& refusal) {
    return refusal.failure();
  }
  return {.status = 0};
}

Failure chat_failure(const std::string& more) {
  return failure([&] { chat(more); });
}

TEST(ParseBody, SaysWhereABodyIsNoJson) {
  const auto problem = [](const std::string& body) { return failure([&] { parse_body(body); }).message; };
  EXPECT_THAT(problem(R"({"a": tru})"), HasSubstr("at byte 10"));
  EXPECT_THAT(problem(""), HasSubstr("empty"));
  EXPECT_THAT(problem("[1]"), HasSubstr("a list, wanted a JSON object"));
  EXPECT_THAT(problem(R"({"a": NaN})"), HasSubstr("at byte"));
  EXPECT_THAT(problem(R"({"a": 1e999})"), HasSubstr("out of range"));
  EXPECT_THAT(problem("{\"a\": \"\xff\"}"), HasSubstr("at byte"));
  EXPECT_THAT(problem(R"({"a": "\ud800"})"), HasSubstr("at byte"));
  EXPECT_THAT(problem(R"({"secret words": 1)"), testing::Not(HasSubstr("secret")));
}

TEST(ParseBody, BoundsDepthAndMembers) {
  const auto nested = [](size_t depth) { return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}"; };
  EXPECT_NO_THROW(parse_body(nested(127)));
  EXPECT_THROW(parse_body(nested(128)), Refusal);
  EXPECT_THROW(parse_body(std::string(1'000'000, '[')), Refusal);
  std::string members = "{\"a\":0";
  for (int i = 0; i < 4096; ++i) members += ",\"" + std::to_string(i) + "\":0";
  EXPECT_THROW(parse_body(members + "}"), Refusal);
  EXPECT_NO_THROW(parse_body("{\"a\":[" + std::string(10'000, ' ') + "1" + std::string(0, ' ') + "]}"));
}

TEST(ReadChat, TakesDefaultsFromTheModelWhereNothingIsSaid) {
  const Generation generation = chat("");
  EXPECT_EQ(generation.n, 1);
  EXPECT_FALSE(generation.stream);
  EXPECT_FALSE(generation.sampling.temperature);
  EXPECT_FALSE(generation.max_tokens);
  EXPECT_EQ(generation.logprobs, -1);
  EXPECT_TRUE(generation.conversation->add_generation_prompt);
}

TEST(ReadChat, ReadsSampling) {
  const Generation generation = chat(
      R"(,"temperature":0.5,"top_p":0.9,"top_k":-1,"min_p":0.1,"seed":-1,"n":3,"stop":"END","max_tokens":7,
          "max_completion_tokens":8,"frequency_penalty":1.5,"logit_bias":{"5":-100},"logprobs":true,"top_logprobs":2,
          "stop_token_ids":[4],"ignore_eos":true,"priority":-3,"cache_salt":"s","stream":true)");
  EXPECT_EQ(generation.sampling.temperature, 0.5);
  EXPECT_EQ(generation.sampling.top_k, 0);
  EXPECT_EQ(generation.sampling.seed, UINT64_MAX);
  EXPECT_EQ(generation.n, 3);
  EXPECT_THAT(generation.stop, ElementsAre("END"));
  EXPECT_EQ(generation.max_tokens, 8);
  EXPECT_EQ(generation.rules.frequency_penalty, 1.5);
  EXPECT_EQ(generation.rules.logit_bias.at(5), -100);
  EXPECT_EQ(generation.logprobs, 2);
  EXPECT_THAT(generation.stop_token_ids, ElementsAre(4));
  EXPECT_TRUE(generation.ignore_eos);
  EXPECT_TRUE(generation.stream);
  EXPECT_EQ(generation.priority, -3);
  EXPECT_EQ(generation.cache_salt, "s");
}

TEST(ReadChat, IgnoresWhatItDoesNotKnow) {
  EXPECT_NO_THROW(chat(R"(,"verbosity":"low","store":true,"metadata":{},"service_tier":"auto","user":null)"));
}

TEST(ReadChat, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(chat_failure(R"(,"temperature":"hot")").param, "temperature");
  EXPECT_THAT(chat_failure(R"(,"temperature":"hot")").message, HasSubstr("saw \"hot\""));
  EXPECT_EQ(chat_failure(R"(,"temperature":2.01)").param, "temperature");
  EXPECT_EQ(chat(R"(,"temperature":2)").sampling.temperature, 2);
  EXPECT_EQ(chat_failure(R"(,"n":0)").param, "n");
  EXPECT_EQ(chat_failure(R"(,"n":1.5)").param, "n");
  EXPECT_EQ(chat_failure(R"(,"max_tokens":99999999999999999999)").param, "max_tokens");
  EXPECT_EQ(chat_failure(R"(,"logprobs":true,"top_logprobs":21)").param, "top_logprobs");
  EXPECT_EQ(chat_failure(R"(,"top_logprobs":2)").param, "top_logprobs");
  EXPECT_EQ(chat_failure(R"(,"stream_options":{"include_usage":true})").param, "stream_options");
  EXPECT_EQ(chat_failure(R"(,"modalities":["audio"])").param, "modalities[0]");
  EXPECT_EQ(chat_failure(R"(,"logit_bias":{"x":1})").param, "logit_bias");
  EXPECT_EQ(chat_failure(R"(,"stop":[1])").param, "stop[0]");
  EXPECT_EQ(chat_failure(R"(,"tools":[{"type":"function"}])").param, "tools[0].function");
  EXPECT_EQ(chat_failure(R"(,"tool_choice":"required")").param, "tool_choice");
  EXPECT_EQ(chat_failure(R"(,"tool_choice":{"type":"function","function":{"name":"f"}})").param,
            "tool_choice.function.name");
  EXPECT_EQ(chat_failure(R"(,"response_format":{"type":"xml"})").param, "response_format.type");
  EXPECT_EQ(chat_failure(R"(,"response_format":{"type":"json_schema","json_schema":{"name":"a"}})").param,
            "response_format.json_schema.schema");
  EXPECT_EQ(chat_failure(R"(,"use_beam_search":true)").param, "use_beam_search");
  EXPECT_EQ(failure([] { read(read_chat, "{}"); }).param, "messages");
  EXPECT_EQ(failure([] { read(read_chat, R"({"messages":[]})"); }).param, "messages");
  EXPECT_EQ(failure([] { read(read_chat, R"({"messages":[{}]})"); }).param, "messages[0].role");
}

TEST(ReadChat, BoundsStops) {
  std::string stops = "\"x\"";
  for (int i = 0; i < 128; ++i) stops += ",\"x\"";
  EXPECT_EQ(chat_failure(",\"stop\":[" + stops + "]").param, "stop");
  EXPECT_EQ(chat_failure(",\"stop\":\"" + std::string(10'000, 'x') + "\"").param, "stop");
}

TEST(ReadChat, ReadsAllWaysToWantAForm) {
  const auto kind = [](const std::string& more) { return chat(more).format.kind; };
  EXPECT_EQ(kind(R"(,"response_format":{"type":"text"})"), Format::Kind::Text);
  EXPECT_EQ(kind(R"(,"response_format":{"type":"json_object"})"), Format::Kind::JsonObject);
  EXPECT_EQ(kind(R"(,"response_format":{"type":"json_object","schema":{}})"), Format::Kind::JsonSchema);
  EXPECT_EQ(kind(R"(,"grammar":"root ::= \"a\"")"), Format::Kind::Grammar);
  EXPECT_EQ(kind(R"(,"structured_outputs":{"choice":["a","b"]})"), Format::Kind::Choice);
  EXPECT_EQ(kind(R"(,"guided_regex":"a+")"), Format::Kind::Regex);
  EXPECT_EQ(chat_failure(R"(,"guided_regex":"a+","grammar":"root ::= \"a\"")").status, 400);
}

TEST(ReadChat, KeepsAllowedToolsAlone) {
  const Generation generation = chat(
      R"(,"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}],
          "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required",
          "tools":[{"type":"function","function":{"name":"b"}}]}})");
  ASSERT_EQ(generation.conversation->tools.size(), 1U);
  EXPECT_EQ(generation.conversation->tools[0]["function"]["name"], "b");
  EXPECT_EQ(generation.conversation->tool_choice.mode, ToolChoice::Mode::Required);
}

TEST(ReadCompletions, ChoosesOfSeveralAnswers) {
  const auto completion = [](const std::string& more) {
    return read(read_completions, R"({"prompt":"a")" + more + "}");
  };
  EXPECT_EQ(completion(R"(,"n":2)").best_of, 2);
  EXPECT_EQ(completion(R"(,"n":2,"best_of":5)").best_of, 5);
  EXPECT_EQ(failure([&] { completion(R"(,"n":2,"best_of":1)"); }).param, "best_of");
  EXPECT_EQ(failure([&] { completion(R"(,"best_of":2,"stream":true)"); }).param, "best_of");
  EXPECT_EQ(completion(R"(,"n":2,"best_of":2,"stream":true)").best_of, 2);
}

TEST(ReadChat, ReadsWhatBoundsReasoning) {
  const Generation generation = chat(R"(,"reasoning_effort":"low","thinking_token_budget":7)");
  EXPECT_EQ(generation.thinking_budget, 7);
  EXPECT_EQ(generation.conversation->variables["reasoning_effort"], "low");
  EXPECT_EQ(generation.thinking, true);
  EXPECT_EQ(chat(R"(,"reasoning_effort":"none")").thinking, false);
  EXPECT_EQ(chat_failure(R"(,"thinking_token_budget":-1)").param, "thinking_token_budget");
}

TEST(ReadCompletions, ReadsPromptsInAllForms) {
  const auto prompts = [](const std::string& prompt) {
    return read(read_completions, R"({"prompt":)" + prompt + "}").prompts;
  };
  EXPECT_THAT(prompts(R"("a")"), ElementsAre(PlainPrompt("a")));
  EXPECT_THAT(prompts(R"(["a","b"])"), ElementsAre(PlainPrompt("a"), PlainPrompt("b")));
  EXPECT_THAT(prompts("[1,2]"), ElementsAre(PlainPrompt(std::vector<int32_t>{1, 2})));
  EXPECT_THAT(prompts("[[1],[2,3]]"),
              ElementsAre(PlainPrompt(std::vector<int32_t>{1}), PlainPrompt(std::vector<int32_t>{2, 3})));
  for (const char* wrong : {"[]", "[[]]", "1", "[1,\"a\"]", "[-1]", "[1.5]"})
    EXPECT_EQ(failure([&] { prompts(wrong); }).status, 400) << wrong;
}

TEST(ReadCompletions, ReadsScoring) {
  const Generation generation =
      read(read_completions, R"({"prompt":[1],"echo":true,"max_tokens":0,"logprobs":1,"temperature":0})");
  EXPECT_TRUE(generation.echo);
  EXPECT_EQ(generation.max_tokens, 0);
  EXPECT_EQ(generation.logprobs, 1);
  EXPECT_EQ(failure([] { read(read_completions, R"({"prompt":"a","max_tokens":0})"); }).param, "max_tokens");
  EXPECT_EQ(failure([] { read(read_completions, R"({"prompt":"a","suffix":"b"})"); }).param, "suffix");
  EXPECT_EQ(failure([] { read(read_completions, R"({"prompt":"a","n":2,"best_of":1})"); }).param, "best_of");
}

OrderedJson messages_of(Read translate, const std::string& body) {
  return read(translate, body).conversation->messages;
}

TEST(ReadMessages, TurnsBlocksIntoMessagesOfChats) {
  const OrderedJson messages = messages_of(read_messages, R"({"max_tokens":1,
    "system":[{"type":"text","text":"x-anthropic-billing-header: cch=1"},{"type":"text","text":"Be brief."}],
    "messages":[{"role":"user","content":"go"},
      {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"Well"},
        {"type":"tool_use","id":"t1","name":"f","input":{"b":1,"a":2}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"42"}]},
        {"type":"text","text":"and?","cache_control":{"type":"ephemeral"}}]}]})");
  EXPECT_EQ(messages, OrderedJson::parse(R"([{"role":"system","content":"Be brief."},{"role":"user","content":"go"},
    {"role":"assistant","content":"Well","tool_calls":[{"id":"t1","type":"function",
      "function":{"name":"f","arguments":"{\"b\":1,\"a\":2}"}}],"reasoning_content":"hm"},
    {"role":"tool","tool_call_id":"t1","content":"42"},{"role":"user","content":"and?"}])"));
}

TEST(ReadMessages, ContinuesAnAnswerThatHasBegun) {
  const Generation generation = read(read_messages, R"({"max_tokens":1,"messages":[{"role":"user","content":"go"},
    {"role":"assistant","content":"Well,"}]})");
  EXPECT_TRUE(generation.conversation->continue_final_message);
  EXPECT_FALSE(generation.conversation->add_generation_prompt);
}

TEST(ReadMessages, ReadsToolsAndRefusesImages) {
  const Generation generation = read(read_messages, R"({"max_tokens":1,"messages":[{"role":"user","content":"go"}],
    "tools":[{"name":"f","description":"d","input_schema":{"type":"object"}},
      {"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},
    "thinking":{"type":"disabled"}})");
  EXPECT_EQ(generation.conversation->tools.size(), 1U);
  EXPECT_EQ(generation.conversation->tool_choice.mode, ToolChoice::Mode::Required);
  EXPECT_FALSE(generation.conversation->tool_choice.parallel);
  EXPECT_EQ(generation.thinking, false);
  EXPECT_EQ(failure([] {
              read(read_messages, R"({"messages":[{"role":"user","content":[{"type":"image","source":{}}]}]})");
            }).param,
            "messages[0].content[0].type");
}

TEST(ReadResponses, TurnsItemsIntoMessagesOfChats) {
  const OrderedJson messages = messages_of(read_responses, R"({"instructions":"Be brief.","input":[
    {"role":"user","content":[{"type":"input_text","text":"go"}]},
    {"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
    {"type":"function_call","call_id":"c2","namespace":"mcp__x__","name":"g","arguments":"{}"},
    {"type":"web_search_call","id":"w"},
    {"type":"function_call_output","call_id":"c1","output":"1"},
    {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"2"}]}]})");
  EXPECT_EQ(messages, OrderedJson::parse(R"([{"role":"system","content":"Be brief."},{"role":"user","content":"go"},
    {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[
      {"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},
      {"id":"c2","type":"function","function":{"name":"mcp__x__g","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"1"},{"role":"tool","tool_call_id":"c2","content":"2"}])"));
}

TEST(ReadResponses, ExpandsNamespacesAndCustomTools) {
  const Generation generation = read(read_responses, R"({"input":"x","tools":[
    {"type":"namespace","name":"mcp__x","tools":[{"type":"function","name":"g","parameters":{}}]},
    {"type":"custom","name":"patch"},{"type":"web_search"},{"type":"function","name":"f","strict":true}]})");
  const OrderedJson& tools = generation.conversation->tools;
  ASSERT_EQ(tools.size(), 3U);
  EXPECT_EQ(tools[0]["function"]["name"], "mcp__x__g");
  EXPECT_EQ(tools[1]["function"]["parameters"]["required"][0], "input");
  EXPECT_EQ(tools[2]["function"]["strict"], true);
}

TEST(ReadResponses, KeepsAllowedToolsAlone) {
  const std::string tools = R"({"input":"a","tools":[{"type":"function","name":"f"},{"type":"custom","name":"g"}],)";
  const Generation generation = read(
      read_responses,
      tools + R"("tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"custom","name":"g"}]}})");
  ASSERT_EQ(generation.conversation->tools.size(), 1U);
  EXPECT_EQ(generation.conversation->tools[0]["function"]["name"], "g");
  EXPECT_EQ(generation.conversation->tool_choice.mode, ToolChoice::Mode::Required);
  const auto refused = [&](const std::string& choice) {
    return failure([&] { read(read_responses, tools + "\"tool_choice\":" + choice + "}"); }).param;
  };
  EXPECT_EQ(refused(R"({"type":"allowed_tools","mode":"auto","tools":[{"name":"h"}]})"), "tool_choice.tools[0].name");
  EXPECT_EQ(refused(R"({"type":"allowed_tools","mode":"required","tools":[{"type":"web_search"}]})"), "tool_choice");
  EXPECT_EQ(refused(R"({"type":"function","name":"h"})"), "tool_choice");
  EXPECT_EQ(refused(R"("sometimes")"), "tool_choice");
  EXPECT_EQ(
      read(read_responses, tools + R"("tool_choice":{"type":"custom","name":"g"}})").conversation->tool_choice.name,
      "g");
}

TEST(ReadResponses, SkipsAllowedToolsThatAreHosted) {
  const OrderedJson tools = read(read_responses, R"({"input":"a",
    "tools":[{"type":"function","name":"f"},{"type":"web_search"},{"type":"mcp","server_label":"x"}],
    "tool_choice":{"type":"allowed_tools","mode":"auto",
      "tools":[{"type":"web_search"},{"type":"function","name":"f"},{"type":"mcp","server_label":"x"}]}})")
                                .conversation->tools;
  ASSERT_EQ(tools.size(), 1U);
  EXPECT_EQ(tools[0]["function"]["name"], "f");
}

TEST(ReadMessages, ReadsFormsAndBudgets) {
  const auto message = [](const std::string& more) {
    return read(read_messages, R"({"messages":[{"role":"user","content":"a"}],"max_tokens":9)" + more + "}");
  };
  EXPECT_EQ(message(R"(,"thinking":{"type":"enabled","budget_tokens":1024})").thinking_budget, 1024);
  const std::string format = R"({"type":"json_schema","schema":{"type":"object"}})";
  EXPECT_EQ(message(",\"output_format\":" + format).format.kind, Format::Kind::JsonSchema);
  EXPECT_EQ(message(",\"output_config\":{\"format\":" + format + "}").format.kind, Format::Kind::JsonSchema);
  const Generation strict =
      message(R"(,"tools":[{"name":"f","input_schema":{},"strict":true}],"tool_choice":{"type":"any"})");
  EXPECT_EQ(strict.conversation->tools[0]["function"]["strict"], true);
  EXPECT_EQ(strict.conversation->tool_choice.mode, ToolChoice::Mode::Required);
}

TEST(ReadResponses, TakesAnEmptyInputAndRefusesState) {
  EXPECT_EQ(messages_of(read_responses, R"({"input":[],"max_output_tokens":1})").size(), 1U);
  EXPECT_EQ(failure([] { read(read_responses, R"({"input":"a","previous_response_id":"r"})"); }).param,
            "previous_response_id");
  EXPECT_EQ(failure([] { read(read_responses, R"({"input":[{"type":"item_reference","id":"x"}]})"); }).param,
            "input[0]");
}

TEST(ToJson, HasTheFormOfEachApi) {
  const Failure wrong{
      .status = 400, .message = "m", .param = "p", .code = "context_length_exceeded", .more = {{"n_ctx", 5}}};
  EXPECT_EQ(
      dump(to_json(wrong, Dialect::OpenAI)),
      R"({"error":{"message":"m","type":"invalid_request_error","param":"p","code":"context_length_exceeded","n_ctx":5}})");
  EXPECT_EQ(dump(to_json({.status = 503, .message = "m"}, Dialect::Anthropic)),
            R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})");
  EXPECT_EQ(dialect_of("/v1/messages/count_tokens"), Dialect::Anthropic);
  EXPECT_EQ(dialect_of("/messages"), Dialect::Anthropic);
  EXPECT_EQ(dialect_of("/v1/chat/completions"), Dialect::OpenAI);
}

}  // namespace
}  // namespace cleave::server::api
