#include "server/api/chat_writer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cleave::server::api {
namespace {

constexpr double kLeastLogprob = -9999.0;  // in place of -infinity, which is no JSON

OrderedJson bytes_of(const std::string& text) {
  OrderedJson bytes = OrderedJson::array();
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

OrderedJson score(const std::string& bytes, double logprob) {
  return {{"token", bytes}, {"logprob", std::max(logprob, kLeastLogprob)}, {"bytes", bytes_of(bytes)}};
}

OrderedJson call_json(const Piece& piece) {
  return {{"id", piece.id}, {"type", "function"}, {"function", {{"name", piece.name}, {"arguments", piece.text}}}};
}

class ChatWriter final : public Writer {
 public:
  ChatWriter(ReplyHead head, const ChatWriterOptions& options)
      : head_(std::move(head)), options_(options), id_(random_id("chatcmpl-")) {}

  std::string begin(const Usage& usage) override {
    std::string events;
    for (size_t choice = 0; choice < options_.num_answers; ++choice)
      events += chunk(choice, {{"role", "assistant"}, {"content", ""}}, {}, usage);
    return events;
  }

  std::string part(size_t choice, const AnswerPart& part) override {
    std::string events;
    OrderedJson logprobs = options_.logprobs && !part.scores.empty() ? logprobs_json(part.scores) : OrderedJson();
    const AnswerPart unfinished{.tokens = part.tokens};
    const auto add = [&](OrderedJson delta) {
      events += chunk(choice, std::move(delta), unfinished, part.usage, std::exchange(logprobs, {}));
    };
    for (const Piece& piece : part.pieces) add(delta_of(piece));
    if (!logprobs.is_null()) add({{"content", ""}});  // of tokens that are a part of a character
    if (part.finish) events += chunk(choice, OrderedJson::object(), part, part.usage);
    return events;
  }

  std::string end(std::span<const AnswerPart> answers) override {
    std::string events;
    if (options_.stream.include_usage) {
      OrderedJson last = frame("chat.completion.chunk");
      last["choices"] = OrderedJson::array();
      last["usage"] = openai_usage(total(answers, answers.size()));
      events += event(last);
    }
    return events + "data: [DONE]\n\n";
  }

  std::string failure(const Failure& failure) override { return event(to_json(failure, Dialect::OpenAI)); }

  OrderedJson whole(std::span<const AnswerPart> answers) override {
    OrderedJson reply = frame("chat.completion");
    OrderedJson& choices = reply["choices"] = OrderedJson::array();
    for (size_t i = 0; i < answers.size(); ++i) choices.push_back(choice_json(i, answers[i]));
    reply["usage"] = openai_usage(total(answers, answers.size()));
    return reply;
  }

 private:
  OrderedJson frame(const char* object) const {
    return {{"id", id_}, {"object", object}, {"created", head_.created}, {"model", head_.model}};
  }

  static OrderedJson logprobs_json(std::span<const TokenScore> scores) {
    return {{"content", chat_logprobs(scores)}, {"refusal", nullptr}};
  }

  static OrderedJson delta_of(const Piece& piece) {
    switch (piece.kind) {
      case Piece::Kind::Text:
        return {{"content", piece.text}};
      case Piece::Kind::Reasoning:  // both names are in use
        return {{"reasoning_content", piece.text}, {"reasoning", piece.text}};
      case Piece::Kind::Call:
        break;
    }
    OrderedJson call = {{"index", piece.call}};
    if (!piece.name.empty())
      call.update(call_json(piece));
    else
      call["function"] = {{"arguments", piece.text}};
    return {{"tool_calls", OrderedJson::array({std::move(call)})}};
  }

  std::string chunk(size_t choice, OrderedJson delta, const AnswerPart& part, const Usage& usage,
                    OrderedJson logprobs = {}) const {
    OrderedJson data = frame("chat.completion.chunk");
    OrderedJson entry = {{"index", choice},
                         {"delta", std::move(delta)},
                         {"logprobs", std::move(logprobs)},
                         {"finish_reason", finish_reason(part.finish)}};
    if (part.finish) entry["stop_reason"] = stop_reason(part);
    if (options_.token_ids && !part.finish) entry["token_ids"] = part.tokens;
    data["choices"] = OrderedJson::array({std::move(entry)});
    if (options_.stream.continuous_usage)
      data["usage"] = openai_usage(usage);
    else if (options_.stream.include_usage)
      data["usage"] = nullptr;
    return event(data);
  }

  OrderedJson choice_json(size_t index, const AnswerPart& answer) const {
    const std::string content = answer.text(Piece::Kind::Text), reasoning = answer.text(Piece::Kind::Reasoning);
    const std::vector<Piece> calls = answer.calls();
    OrderedJson message = {{"role", "assistant"}, {"content", content}, {"refusal", nullptr}};
    if (content.empty() && !calls.empty()) message["content"] = nullptr;
    if (!reasoning.empty()) message["reasoning_content"] = message["reasoning"] = reasoning;
    for (const Piece& call : calls) message["tool_calls"].push_back(call_json(call));
    OrderedJson choice = {{"index", index},
                          {"message", std::move(message)},
                          {"logprobs", options_.logprobs ? logprobs_json(answer.scores) : OrderedJson()},
                          {"finish_reason", finish_reason(answer.finish)},
                          {"stop_reason", stop_reason(answer)}};
    if (options_.token_ids) choice["token_ids"] = answer.tokens;
    return choice;
  }

  const ReplyHead head_;
  const ChatWriterOptions options_;
  const std::string id_;
};

}  // namespace

std::unique_ptr<Writer> make_chat_writer(ReplyHead head, const ChatWriterOptions& options) {
  return std::make_unique<ChatWriter>(std::move(head), options);
}

OrderedJson openai_usage(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.generated},
          {"total_tokens", usage.prompt + usage.generated},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning}}}};
}

OrderedJson finish_reason(const std::optional<Finish>& finish) {
  if (!finish) return nullptr;
  switch (*finish) {
    case Finish::Stop:
      return "stop";
    case Finish::Length:
      return "length";
    case Finish::ToolCalls:
      break;
  }
  return "tool_calls";
}

OrderedJson stop_reason(const AnswerPart& part) {
  if (const auto* text = std::get_if<std::string>(&part.stopped_by)) return *text;
  if (const auto* id = std::get_if<int32_t>(&part.stopped_by)) return *id;
  return nullptr;
}

OrderedJson chat_logprobs(std::span<const TokenScore> scores) {
  OrderedJson content = OrderedJson::array();
  for (const TokenScore& token : scores) {
    OrderedJson entry = score(token.bytes, token.logprob.value_or(kLeastLogprob));
    OrderedJson& top = entry["top_logprobs"] = OrderedJson::array();
    for (const auto& other : token.top) top.push_back(score(other.bytes, other.logprob));
    content.push_back(std::move(entry));
  }
  return content;
}

}  // namespace cleave::server::api
