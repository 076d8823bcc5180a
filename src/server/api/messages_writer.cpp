#include "server/api/messages_writer.h"

#include <optional>
#include <utility>

namespace cleave::server::api {
namespace {

// The three kinds of prompt tokens make up the whole prompt.
OrderedJson usage_json(const Usage& usage) {
  return {{"input_tokens", usage.prompt - usage.cached},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached},
          {"output_tokens", usage.generated}};
}

OrderedJson stop_reason_of(const AnswerPart& answer) {
  if (answer.finish == Finish::Length) return "max_tokens";
  if (!answer.calls().empty()) return "tool_use";
  return answer.stopped_by.index() == 0 ? "end_turn" : "stop_sequence";
}

OrderedJson stop_sequence_of(const AnswerPart& answer) {
  const auto* text = std::get_if<std::string>(&answer.stopped_by);
  return text == nullptr ? OrderedJson() : OrderedJson(*text);
}

// Of a call that was cut off, there is no object.
OrderedJson input_of(const Piece& call) {
  OrderedJson input = OrderedJson::parse(call.text, nullptr, false);
  return input.is_object() ? input : OrderedJson::object();
}

class MessagesWriter final : public Writer {
 public:
  explicit MessagesWriter(ReplyHead head) : head_(std::move(head)), id_(random_id("msg_")) {}

  std::string begin(const Usage& usage) override {
    return typed("message_start", {{"message", message(OrderedJson::array(), {}, usage)}});
  }

  std::string part(size_t, const AnswerPart& part) override {
    std::string events;
    for (const Piece& piece : part.pieces) {
      const std::pair<Piece::Kind, int> block(piece.kind, piece.call);
      if (open_ != block) {
        events += close_block();
        events += typed("content_block_start", {{"index", index_}, {"content_block", empty_block(piece)}});
        open_ = block;
      }
      if (!piece.text.empty()) events += typed("content_block_delta", {{"index", index_}, {"delta", delta(piece)}});
    }
    if (part.finish) events += close_block();
    return events;
  }

  std::string end(std::span<const AnswerPart> answers) override {
    const AnswerPart& answer = answers.front();
    const OrderedJson delta = {{"stop_reason", stop_reason_of(answer)}, {"stop_sequence", stop_sequence_of(answer)}};
    return typed("message_delta", {{"delta", delta}, {"usage", usage_json(answer.usage)}}) +
           typed("message_stop", OrderedJson::object());
  }

  std::string failure(const Failure& failure) override { return event("error", to_json(failure, Dialect::Anthropic)); }
  std::string ping() override { return typed("ping", OrderedJson::object()); }

  OrderedJson whole(std::span<const AnswerPart> answers) override {
    OrderedJson content = OrderedJson::array();
    for (const Piece& piece : answers.front().pieces) {
      OrderedJson block = empty_block(piece);
      if (piece.kind == Piece::Kind::Text) block["text"] = piece.text;
      if (piece.kind == Piece::Kind::Reasoning) block["thinking"] = piece.text;
      if (piece.kind == Piece::Kind::Call) block["input"] = input_of(piece);
      content.push_back(std::move(block));
    }
    return message(std::move(content), answers.front(), answers.front().usage);
  }

 private:
  // Events repeat their names in their data.
  static std::string typed(const char* type, const OrderedJson& members) {
    OrderedJson data = {{"type", type}};
    data.update(members);
    return event(type, data);
  }

  OrderedJson message(OrderedJson content, const AnswerPart& answer, const Usage& usage) const {
    return {{"id", id_},
            {"type", "message"},
            {"role", "assistant"},
            {"model", head_.model},
            {"content", std::move(content)},
            {"stop_reason", answer.finish ? stop_reason_of(answer) : OrderedJson()},
            {"stop_sequence", stop_sequence_of(answer)},
            {"usage", usage_json(usage)}};
  }

  static OrderedJson empty_block(const Piece& piece) {
    switch (piece.kind) {
      case Piece::Kind::Text:
        return {{"type", "text"}, {"text", ""}};
      case Piece::Kind::Reasoning:
        return {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}};
      case Piece::Kind::Call:
        break;
    }
    return {{"type", "tool_use"}, {"id", piece.id}, {"name", piece.name}, {"input", OrderedJson::object()}};
  }

  static OrderedJson delta(const Piece& piece) {
    switch (piece.kind) {
      case Piece::Kind::Text:
        return {{"type", "text_delta"}, {"text", piece.text}};
      case Piece::Kind::Reasoning:
        return {{"type", "thinking_delta"}, {"thinking", piece.text}};
      case Piece::Kind::Call:
        break;
    }
    return {{"type", "input_json_delta"}, {"partial_json", piece.text}};
  }

  std::string close_block() {
    if (!open_) return "";
    open_.reset();
    return typed("content_block_stop", {{"index", index_++}});
  }

  const ReplyHead head_;
  const std::string id_;
  std::optional<std::pair<Piece::Kind, int>> open_;  // the block that is being written, and of which call it is
  int index_ = 0;                                    // of that block, or of the next one
};

}  // namespace

std::unique_ptr<Writer> make_messages_writer(ReplyHead head) {
  return std::make_unique<MessagesWriter>(std::move(head));
}

}  // namespace cleave::server::api
