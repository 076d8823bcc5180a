// Replies of all APIs: what events a stream has, and that a stream says what a document says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/strings.h"
#include "server/api/chat.h"
#include "server/api/completions.h"
#include "server/api/field.h"
#include "server/api/messages.h"
#include "server/api/responses.h"

namespace cleave::server::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Read = Translation (*)(const OrderedJson&, const Context&);
using Kind = Piece::Kind;

std::unique_ptr<Writer> writer(Read translate, const std::string& body) {
  return translate(parse_body(body), {"served", 1}).writer;
}

std::unique_ptr<Writer> chat_writer(const std::string& more = "") {
  return writer(read_chat, R"({"messages":[{"role":"user","content":"hi"}])" + more + "}");
}

// The data of events, without [DONE]; where events have names, these are those in their data.
std::vector<OrderedJson> events(const std::string& text) {
  std::vector<OrderedJson> result;
  std::string name;
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with("event: ")) name = line.substr(7);
    if (!line.starts_with("data: ") || line == "data: [DONE]") continue;
    result.push_back(OrderedJson::parse(line.substr(6)));
    EXPECT_TRUE(name.empty() || result.back()["type"] == name);
  }
  return result;
}

std::vector<std::string> types(const std::string& text) {
  std::vector<std::string> result;
  for (const OrderedJson& event : events(text)) result.push_back(event["type"]);
  return result;
}

AnswerPart part(std::vector<Piece> pieces, std::optional<Finish> finish = {}) {
  AnswerPart part;
  for (Piece& piece : pieces) part.append(std::move(piece));
  part.finish = finish;
  part.usage = {.prompt = 10, .cached = 4, .generated = 3};
  return part;
}

// An answer that thinks, speaks and calls.
std::vector<AnswerPart> parts() {
  return {part({{.kind = Kind::Reasoning, .text = "hm"}}), part({{.kind = Kind::Text, .text = "Well"}}),
          part({{.kind = Kind::Text, .text = ", ok"},
                {.kind = Kind::Call, .text = "", .call = 0, .id = "c1", .name = "f"}}),
          part({{.kind = Kind::Call, .text = "{\"a\":"}}),
          part({{.kind = Kind::Call, .text = "1}"}}, Finish::ToolCalls)};
}

AnswerPart whole() {
  AnswerPart answer;
  for (AnswerPart& part : parts()) answer.append(std::move(part));
  return answer;
}

std::string streamed(Writer& writer) {
  std::string text = writer.begin({.prompt = 10});
  for (const AnswerPart& part : parts()) text += writer.part(0, part);
  return text + writer.end(std::vector{whole()});
}

TEST(AnswerPart, PutsPiecesOfOneThingTogether) {
  const AnswerPart answer = whole();
  EXPECT_EQ(answer.pieces.size(), 3U);
  EXPECT_EQ(answer.text(Kind::Text), "Well, ok");
  ASSERT_EQ(answer.calls().size(), 1U);
  EXPECT_EQ(answer.calls()[0].text, "{\"a\":1}");
  EXPECT_EQ(answer.finish, Finish::ToolCalls);
}

TEST(ChatWriter, StreamsWhatItsDocumentSays) {
  const auto writer = chat_writer(R"(,"stream":true,"stream_options":{"include_usage":true})");
  const std::string text = streamed(*writer);
  EXPECT_TRUE(text.ends_with("data: [DONE]\n\n"));
  std::string content, reasoning, arguments, name;
  OrderedJson finish;
  const std::vector<OrderedJson> chunks = events(text);
  EXPECT_EQ(chunks.front()["choices"][0]["delta"]["role"], "assistant");
  for (const OrderedJson& chunk : chunks) {
    EXPECT_EQ(chunk["id"], chunks.front()["id"]);
    if (chunk["choices"].empty()) {
      EXPECT_EQ(chunk["usage"]["prompt_tokens_details"]["cached_tokens"], 4);
      continue;
    }
    EXPECT_TRUE(chunk["usage"].is_null());
    const OrderedJson& choice = chunk["choices"][0];
    const OrderedJson& delta = choice["delta"];
    content += delta.value("content", "");
    reasoning += delta.value("reasoning_content", "");
    if (delta.contains("tool_calls")) {
      EXPECT_EQ(delta["tool_calls"][0]["index"], 0);
      arguments += delta["tool_calls"][0]["function"]["arguments"].get<std::string>();
      name += delta["tool_calls"][0]["function"].value("name", "");
    }
    if (!choice["finish_reason"].is_null()) finish = choice["finish_reason"];
  }
  EXPECT_EQ(finish, "tool_calls");
  const OrderedJson message = writer->whole(std::vector{whole()})["choices"][0]["message"];
  EXPECT_EQ(message["content"], content);
  EXPECT_EQ(message["reasoning"], reasoning);
  EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"], arguments);
  EXPECT_EQ(message["tool_calls"][0]["function"]["name"], name);
}

TEST(ChatWriter, TellsBytesOfTokensAndNoInfinity) {
  AnswerPart answer = part({{.kind = Kind::Text, .text = "é"}}, Finish::Stop);
  answer.scores = {{.token = 1, .bytes = "\xc3", .logprob = -0.5, .top = {{1, "\xc3", -0.5}, {2, "x", -INFINITY}}}};
  const OrderedJson document = chat_writer(R"(,"logprobs":true,"top_logprobs":2)")->whole(std::vector{answer});
  const OrderedJson& entry = document["choices"][0]["logprobs"]["content"][0];
  EXPECT_EQ(entry["bytes"], OrderedJson::array({0xc3}));
  EXPECT_EQ(entry["top_logprobs"][1]["logprob"], -9999.0);
}

TEST(ChatWriter, HasOneErrorEventWhereItFailsMidway) {
  const std::vector<OrderedJson> failed = events(chat_writer()->failure({.status = 500, .message = "m"}));
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0]["error"]["message"], "m");
}

TEST(CompletionWriter, CountsThePromptOfSeveralAnswersOnce) {
  const auto writer = api::read_completions(parse_body(R"({"prompt":["a","b"],"n":2})"), {"served", 1}).writer;
  const OrderedJson document = writer->whole(std::vector(4, part({{.text = "x"}}, Finish::Length)));
  EXPECT_EQ(document["usage"]["prompt_tokens"], 20);
  EXPECT_EQ(document["usage"]["completion_tokens"], 12);
  EXPECT_EQ(document["choices"][3]["index"], 3);
  EXPECT_EQ(document["choices"][3]["finish_reason"], "length");
}

TEST(CompletionWriter, CountsOffsetsOverTheWholeStream) {
  const auto writer = api::read_completions(parse_body(R"({"prompt":"a","logprobs":1})"), {"served", 1}).writer;
  AnswerPart first = part({{.text = "né"}});
  first.scores = {{.token = 1, .bytes = "né", .logprob = -1}};
  std::string text = writer->part(0, first);
  text += writer->part(0, first);
  const std::vector<OrderedJson> chunks = events(text);
  EXPECT_EQ(chunks[0]["choices"][0]["logprobs"]["text_offset"][0], 0);
  EXPECT_EQ(chunks[1]["choices"][0]["logprobs"]["text_offset"][0], 2);
  EXPECT_EQ(chunks[1]["choices"][0]["logprobs"]["top_logprobs"][0]["né"], -1.0);
}

TEST(MessagesWriter, OpensAndClosesOneBlockAtATime) {
  const auto writer =
      api::read_messages(parse_body(R"({"max_tokens":9,"messages":[{"role":"user","content":"a"}]})"), {"served", 1})
          .writer;
  const std::string text = streamed(*writer);
  EXPECT_THAT(types(text),
              ElementsAre("message_start", "content_block_start", "content_block_delta", "content_block_stop",
                          "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
                          "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
                          "message_delta", "message_stop"));
  const std::vector<OrderedJson> all = events(text);
  EXPECT_EQ(all[8]["index"], 2);
  EXPECT_EQ(all[8]["content_block"]["name"], "f");
  EXPECT_EQ(all[12]["delta"]["stop_reason"], "tool_use");
  EXPECT_EQ(all[12]["usage"]["input_tokens"].get<int>() + all[12]["usage"]["cache_read_input_tokens"].get<int>(), 10);
  const OrderedJson document = writer->whole(std::vector{whole()});
  EXPECT_EQ(document["content"][2]["input"], OrderedJson::parse(R"({"a":1})"));
  EXPECT_TRUE(document.contains("stop_sequence"));
}

TEST(CompletionWriter, OfTokensWithOneTextTheMoreProbableCounts) {
  AnswerPart answer = part({{.text = "a"}}, Finish::Length);
  answer.scores = {
      {.token = 1, .bytes = "a", .logprob = -1.0, .top = {{1, "a", -1.0}, {2, "a", -2.0}, {3, "b", -3.0}}}};
  const OrderedJson top = writer(read_completions, R"({"prompt":"a","logprobs":3})")
                              ->whole(std::vector{answer})["choices"][0]["logprobs"]["top_logprobs"][0];
  EXPECT_EQ(top, (OrderedJson{{"a", -1.0}, {"b", -3.0}}));
}

TEST(Writers, KeepStreamsAliveInTheirOwnWays) {
  EXPECT_EQ(chat_writer()->ping(), ": ping\n\n");
  EXPECT_EQ(writer(read_responses, R"({"input":"a"})")->ping(), ": ping\n\n");
  const auto messages = writer(read_messages, R"({"messages":[{"role":"user","content":"a"}],"max_tokens":1})");
  EXPECT_EQ(messages->ping(), "event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

TEST(MessagesWriter, TellsWhichStopTextEndedAnAnswer) {
  AnswerPart answer = part({{.text = "x"}}, Finish::Stop);
  answer.stopped_by = "END";
  const OrderedJson document =
      writer(read_messages, R"({"messages":[{"role":"user","content":"a"}]})")->whole(std::vector{answer});
  EXPECT_EQ(document["stop_reason"], "stop_sequence");
  EXPECT_EQ(document["stop_sequence"], "END");
}

TEST(ResponsesWriter, NumbersItsEventsAndRepeatsItemsInTheEnd) {
  const auto responses = writer(read_responses, R"({"input":"a","tools":[{"type":"function","name":"f"}]})");
  const std::string text = streamed(*responses);
  EXPECT_THAT(types(text),
              ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                          "response.content_part.added", "response.reasoning_text.delta",
                          "response.reasoning_text.done", "response.content_part.done", "response.output_item.done",
                          "response.output_item.added", "response.content_part.added", "response.output_text.delta",
                          "response.output_text.delta", "response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.output_item.added",
                          "response.function_call_arguments.delta", "response.function_call_arguments.delta",
                          "response.function_call_arguments.done", "response.output_item.done", "response.completed"));
  const std::vector<OrderedJson> all = events(text);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i]["sequence_number"], i);
  EXPECT_EQ(all[8]["item"]["id"], all[10]["item_id"]);
  const OrderedJson& response = all.back()["response"];
  EXPECT_EQ(response["output"].size(), 3U);
  EXPECT_EQ(response["output"][1]["content"][0]["text"], "Well, ok");
  EXPECT_EQ(response["output"][2]["arguments"], "{\"a\":1}");
  EXPECT_EQ(response["usage"]["input_tokens_details"]["cached_tokens"], 4);
  EXPECT_EQ(response["tools"].size(), 1U);
}

TEST(ResponsesWriter, TellsCallsByTheClientsNames) {
  const auto responses = writer(read_responses, R"({"input":"a","tools":[{"type":"custom","name":"patch"},
    {"type":"namespace","name":"mcp__x__","tools":[{"type":"function","name":"g"}]}]})");
  const OrderedJson output = responses->whole(
      std::vector{part({{.kind = Kind::Call, .text = R"({"input":"+a"})", .call = 0, .id = "c", .name = "patch"},
                        {.kind = Kind::Call, .text = "{}", .call = 1, .id = "d", .name = "mcp__x__g"}},
                       Finish::ToolCalls)})["output"];
  EXPECT_EQ(output[0]["type"], "custom_tool_call");
  EXPECT_EQ(output[0]["input"], "+a");
  EXPECT_EQ(output[1]["name"], "g");
  EXPECT_EQ(output[1]["namespace"], "mcp__x__");
}

TEST(ResponsesWriter, TellsTheInputOfACustomToolAsItComes) {
  const auto responses = writer(read_responses, R"({"input":"a","tools":[{"type":"custom","name":"patch"}]})");
  std::string text = responses->begin({});
  for (const AnswerPart& piece :
       {part({{.kind = Kind::Call, .text = "{\"inp", .call = 0, .id = "c", .name = "patch"}}),
        part({{.kind = Kind::Call, .text = "ut\": \"+a\\"}}), part({{.kind = Kind::Call, .text = "nb"}}),
        part({{.kind = Kind::Call, .text = "\"}"}}, Finish::ToolCalls)})
    text += responses->part(0, piece);
  std::vector<std::string> deltas;
  for (const OrderedJson& event : events(text)) {
    if (event["type"] == "response.custom_tool_call_input.delta") deltas.push_back(event["delta"]);
    EXPECT_TRUE(event["type"] != "response.custom_tool_call_input.done" || event["input"] == "+a\nb");
  }
  EXPECT_THAT(deltas, ElementsAre("+a", "\nb"));
}

TEST(BestAnswers, AreTheMostProbableOfEachPrompt) {
  std::vector<AnswerPart> answers;
  for (const double logprob : {-3.0, -1.0, -2.0, -5.0, -6.0, -4.0}) {
    answers.push_back(part({{.text = std::to_string(static_cast<int>(logprob))}}, Finish::Stop));
    answers.back().logprob = logprob;
  }
  const auto texts = [](const std::vector<AnswerPart>& some) {
    std::vector<std::string> result;
    for (const AnswerPart& answer : some) result.push_back(answer.text(Kind::Text));
    return result;
  };
  const std::vector<AnswerPart> best = best_answers(answers, 2, 3);
  EXPECT_THAT(texts(best), ElementsAre("-1", "-2", "-4", "-5"));
  EXPECT_EQ(total(best, 2).generated, 18) << "of all answers";
  EXPECT_EQ(total(best, 2).prompt, 20);
  EXPECT_THAT(texts(best_answers(answers, 3, 3)), ElementsAre("-3", "-1", "-2", "-5", "-6", "-4"));
}

TEST(ResponsesWriter, IsIncompleteWhereTheAnswerWasCut) {
  const auto responses = writer(read_responses, R"({"input":"a"})");
  const std::vector<AnswerPart> cut = {part({{.text = "x"}}, Finish::Length)};
  EXPECT_EQ(events(responses->end(cut))[0]["type"], "response.incomplete");
  EXPECT_EQ(responses->whole(cut)["incomplete_details"]["reason"], "max_output_tokens");
}

TEST(Writers, SayNothingForAnEmptyPart) {
  EXPECT_THAT(chat_writer()->part(0, {}), IsEmpty());
  EXPECT_THAT(writer(read_completions, R"({"prompt":"a"})")->part(0, {}), IsEmpty());
  EXPECT_THAT(writer(read_responses, R"({"input":"a"})")->part(0, {}), IsEmpty());
}

}  // namespace
}  // namespace cleave::server::api
