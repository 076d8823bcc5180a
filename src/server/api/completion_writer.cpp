#include "server/api/completion_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "server/api/chat_writer.h"

namespace cleave::server::api {
namespace {

constexpr double kLeastLogprob = -9999.0;

class CompletionWriter final : public Writer {
 public:
  CompletionWriter(ReplyHead head, const CompletionWriterOptions& options)
      : head_(std::move(head)), options_(options), id_(random_id("cmpl-")) {}

  std::string begin(const Usage&) override { return ""; }

  std::string part(size_t choice, const AnswerPart& part) override {
    if (part.empty()) return "";
    OrderedJson data = frame();
    data["choices"] = OrderedJson::array({choice_json(choice, part)});
    if (options_.stream.continuous_usage)
      data["usage"] = openai_usage(part.usage);
    else if (options_.stream.include_usage)
      data["usage"] = nullptr;
    return event(data);
  }

  std::string end(std::span<const AnswerPart> answers) override {
    std::string events;
    if (options_.stream.include_usage) {
      OrderedJson last = frame();
      last["choices"] = OrderedJson::array();
      last["usage"] = openai_usage(total(answers, options_.answers_per_prompt));
      events += event(last);
    }
    return events + "data: [DONE]\n\n";
  }

  std::string failure(const Failure& failure) override { return event(to_json(failure, Dialect::OpenAI)); }

  OrderedJson whole(std::span<const AnswerPart> answers) override {
    OrderedJson reply = frame();
    OrderedJson& choices = reply["choices"] = OrderedJson::array();
    offsets_.clear();
    for (size_t i = 0; i < answers.size(); ++i) choices.push_back(choice_json(i, answers[i]));
    reply["usage"] = openai_usage(total(answers, options_.answers_per_prompt));
    return reply;
  }

 private:
  OrderedJson frame() const {
    return {{"id", id_}, {"object", "text_completion"}, {"created", head_.created}, {"model", head_.model}};
  }

  OrderedJson choice_json(size_t index, const AnswerPart& part) {
    OrderedJson choice = {{"index", index},
                          {"text", part.text(Piece::Kind::Text)},
                          {"logprobs", options_.logprobs ? logprobs(index, part.scores) : OrderedJson()},
                          {"finish_reason", finish_reason(part.finish)},
                          {"stop_reason", stop_reason(part)}};
    if (options_.token_ids) choice["token_ids"] = part.tokens;
    return choice;
  }

  // Offsets count characters of the tokens before, over all parts of a stream.
  OrderedJson logprobs(size_t index, std::span<const TokenScore> scores) {
    OrderedJson tokens = OrderedJson::array(), values = OrderedJson::array(), tops = OrderedJson::array(),
                offsets = OrderedJson::array();
    for (const TokenScore& score : scores) {
      tokens.push_back(score.bytes);
      values.push_back(score.logprob ? OrderedJson(std::max(*score.logprob, kLeastLogprob)) : OrderedJson());
      tops.push_back(score.logprob ? top(score) : OrderedJson());
      offsets.push_back(offsets_[index]);
      offsets_[index] += std::ranges::count_if(score.bytes, [](char c) { return (c & 0xc0) != 0x80; });
    }
    return {{"tokens", std::move(tokens)},
            {"token_logprobs", std::move(values)},
            {"top_logprobs", std::move(tops)},
            {"text_offset", std::move(offsets)}};
  }

  // By text: of two tokens with the same one, the more probable counts, which comes first.
  static OrderedJson top(const TokenScore& score) {
    OrderedJson result = OrderedJson::object();
    for (const auto& other : score.top)
      if (!result.contains(other.bytes)) result[other.bytes] = std::max(other.logprob, kLeastLogprob);
    if (!result.contains(score.bytes)) result[score.bytes] = std::max(*score.logprob, kLeastLogprob);
    return result;
  }

  const ReplyHead head_;
  const CompletionWriterOptions options_;
  const std::string id_;
  std::map<size_t, int64_t> offsets_;  // of the answers' next tokens
};

}  // namespace

std::unique_ptr<Writer> make_completion_writer(ReplyHead head, const CompletionWriterOptions& options) {
  return std::make_unique<CompletionWriter>(std::move(head), options);
}

}  // namespace cleave::server::api
