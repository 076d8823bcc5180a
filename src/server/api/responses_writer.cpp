#include "server/api/responses_writer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/api/string_member.h"

namespace cleave::server::api {
namespace {

OrderedJson usage_json(const Usage& usage) {
  return {{"input_tokens", usage.prompt},
          {"input_tokens_details", {{"cached_tokens", usage.cached}}},
          {"output_tokens", usage.generated},
          {"output_tokens_details", {{"reasoning_tokens", usage.reasoning}}},
          {"total_tokens", usage.prompt + usage.generated}};
}

OrderedJson part_json(Piece::Kind kind, const std::string& text) {
  if (kind == Piece::Kind::Reasoning) return {{"type", "reasoning_text"}, {"text", text}};
  return {{"type", "output_text"}, {"text", text}, {"annotations", OrderedJson::array()}};
}

// The one text of a custom tool's call, as far as it is there.
std::string custom_input(const std::string& arguments) {
  StringMember member("input");
  std::string text = member.feed(arguments);
  if (member.begun()) return text;
  const OrderedJson json = OrderedJson::parse(arguments, nullptr, false);
  const bool whole = json.is_object() && json.contains("input") && json["input"].is_string();
  return whole ? json["input"].get<std::string>() : arguments;
}

class ResponsesWriter final : public Writer {
 public:
  ResponsesWriter(ReplyHead head, OrderedJson repeated, std::map<std::string, ResponseTool> tools)
      : head_(std::move(head)), repeated_(std::move(repeated)), tools_(std::move(tools)), id_(random_id("resp_")) {}

  std::string begin(const Usage&) override {
    const OrderedJson response = document("in_progress", OrderedJson::array(), {});
    std::string events = numbered("response.created", {{"response", response}});  // in this order: they are counted
    events += numbered("response.in_progress", {{"response", response}});
    return events;
  }

  std::string part(size_t, const AnswerPart& part) override {
    std::string events;
    for (const Piece& piece : part.pieces) {
      if (!open_ || open_->kind != piece.kind || open_->call != piece.call) {
        events += close_item();
        events += open_item(piece);
      }
      open_->text += piece.text;
      events += delta(piece);
    }
    if (part.finish) events += close_item();
    return events;
  }

  std::string end(std::span<const AnswerPart> answers) override {
    const AnswerPart& answer = answers.front();
    const bool cut = answer.finish == Finish::Length;
    OrderedJson response = document(cut ? "incomplete" : "completed", output_, answer.usage);
    if (cut) response["incomplete_details"] = {{"reason", "max_output_tokens"}};
    return numbered(cut ? "response.incomplete" : "response.completed", {{"response", std::move(response)}});
  }

  std::string failure(const Failure& failure) override {
    OrderedJson response = document("failed", output_, {});
    response["error"] = {{"code", failure.status < 500 ? "invalid_prompt" : "server_error"},
                         {"message", failure.message}};
    return numbered("response.failed", {{"response", std::move(response)}});
  }

  OrderedJson whole(std::span<const AnswerPart> answers) override {
    const AnswerPart& answer = answers.front();
    const bool cut = answer.finish == Finish::Length;
    OrderedJson output = OrderedJson::array();
    for (const Piece& piece : answer.pieces) output.push_back(item(new_item_id(piece.kind), piece, true));
    OrderedJson response = document(cut ? "incomplete" : "completed", std::move(output), answer.usage);
    if (cut) response["incomplete_details"] = {{"reason", "max_output_tokens"}};
    return response;
  }

 private:
  std::string numbered(const char* type, const OrderedJson& members) {
    OrderedJson data = {{"type", type}, {"sequence_number", sequence_number_++}};
    data.update(members);
    return event(type, data);
  }

  OrderedJson document(const char* status, OrderedJson output, const std::optional<Usage>& usage) const {
    OrderedJson response = {{"id", id_},
                            {"object", "response"},
                            {"created_at", head_.created},
                            {"status", status},
                            {"error", nullptr},
                            {"incomplete_details", nullptr},
                            {"model", head_.model},
                            {"output", std::move(output)},
                            {"previous_response_id", nullptr},
                            {"store", false},
                            {"truncation", "disabled"},
                            {"usage", usage ? usage_json(*usage) : OrderedJson()}};
    response.update(repeated_);
    return response;
  }

  static std::string new_item_id(Piece::Kind kind) {
    return random_id(kind == Piece::Kind::Text ? "msg_" : kind == Piece::Kind::Reasoning ? "rs_" : "fc_");
  }

  // An item of the output; before it is complete, without its text.
  OrderedJson item(const std::string& id, const Piece& piece, bool complete) const {
    const char* status = complete ? "completed" : "in_progress";
    OrderedJson content = OrderedJson::array();
    if (complete) content.push_back(part_json(piece.kind, piece.text));
    if (piece.kind == Piece::Kind::Text)
      return {{"id", id}, {"type", "message"}, {"status", status}, {"role", "assistant"}, {"content", content}};
    if (piece.kind == Piece::Kind::Reasoning)
      return {{"id", id}, {"type", "reasoning"}, {"summary", OrderedJson::array()}, {"content", content}};
    return call_item(id, piece, complete);
  }

  OrderedJson call_item(const std::string& id, const Piece& call, bool complete) const {
    const ResponseTool tool = tool_of(call.name);
    const std::string text = complete ? call.text : "";
    OrderedJson result = {{"id", id},
                          {"type", tool.is_custom ? "custom_tool_call" : "function_call"},
                          {"status", complete ? "completed" : "in_progress"},
                          {"call_id", call.id},
                          {"name", tool.name}};
    if (!tool.space.empty()) result["namespace"] = tool.space;
    result[tool.is_custom ? "input" : "arguments"] = tool.is_custom && complete ? custom_input(text) : text;
    return result;
  }

  ResponseTool tool_of(const std::string& name) const {
    const auto found = tools_.find(name);
    return found == tools_.end() ? ResponseTool{.name = name} : found->second;
  }

  std::string open_item(const Piece& piece) {
    open_ = piece;
    open_->text.clear();
    input_ = StringMember("input");
    input_told_ = 0;
    item_id_ = new_item_id(piece.kind);
    std::string events = numbered("response.output_item.added",
                                  {{"output_index", output_.size()}, {"item", item(item_id_, *open_, false)}});
    if (piece.kind != Piece::Kind::Call) events += about_part("response.content_part.added", part_json(piece.kind, ""));
    return events;
  }

  OrderedJson place() const { return {{"item_id", item_id_}, {"output_index", output_.size()}}; }

  std::string with_place(const char* type, const OrderedJson& members, bool in_content) {
    OrderedJson data = place();
    if (in_content) data["content_index"] = 0;
    data.update(members);
    return numbered(type, data);
  }

  std::string about_part(const char* type, OrderedJson part) {
    return with_place(type, {{"part", std::move(part)}}, true);
  }

  std::string delta(const Piece& piece) {
    if (piece.text.empty()) return "";
    if (piece.kind == Piece::Kind::Reasoning)
      return with_place("response.reasoning_text.delta", {{"delta", piece.text}}, true);
    if (piece.kind == Piece::Kind::Text)
      return with_place("response.output_text.delta", {{"delta", piece.text}, {"logprobs", OrderedJson::array()}},
                        true);
    if (tool_of(open_->name).is_custom) return input_delta(input_.feed(piece.text));
    return with_place("response.function_call_arguments.delta", {{"delta", piece.text}}, false);
  }

  std::string close_item() {
    if (!open_) return "";
    const Piece piece = *std::exchange(open_, std::nullopt);
    std::string events;
    if (piece.kind == Piece::Kind::Call) {
      events = close_call(piece);
    } else {
      const bool is_text = piece.kind == Piece::Kind::Text;
      OrderedJson done = {{"text", piece.text}};
      if (is_text) done["logprobs"] = OrderedJson::array();
      events = with_place(is_text ? "response.output_text.done" : "response.reasoning_text.done", done, true);
      events += about_part("response.content_part.done", part_json(piece.kind, piece.text));
    }
    OrderedJson complete = item(item_id_, piece, true);
    events += numbered("response.output_item.done", {{"output_index", output_.size()}, {"item", complete}});
    output_.push_back(std::move(complete));
    return events;
  }

  std::string close_call(const Piece& call) {
    if (!tool_of(call.name).is_custom)
      return with_place("response.function_call_arguments.done",
                        {{"name", tool_of(call.name).name}, {"arguments", call.text}}, false);
    const std::string input = custom_input(call.text);
    std::string events = input_delta(input.substr(std::min(input_told_, input.size())));
    events += with_place("response.custom_tool_call_input.done", {{"input", input}}, false);
    return events;
  }

  std::string input_delta(const std::string& text) {
    input_told_ += text.size();
    return text.empty() ? "" : with_place("response.custom_tool_call_input.delta", {{"delta", text}}, false);
  }

  const ReplyHead head_;
  const OrderedJson repeated_;
  const std::map<std::string, ResponseTool> tools_;
  const std::string id_;
  int64_t sequence_number_ = 0;
  std::optional<Piece> open_;                  // the item that is being written, with its text so far
  std::string item_id_;                        // of that item
  StringMember input_{"input"};                // of that item, where it calls a custom tool
  size_t input_told_ = 0;                      // bytes of it
  OrderedJson output_ = OrderedJson::array();  // items that are complete
};

}  // namespace

std::unique_ptr<Writer> make_responses_writer(ReplyHead head, OrderedJson repeated,
                                              std::map<std::string, ResponseTool> tools) {
  return std::make_unique<ResponsesWriter>(std::move(head), std::move(repeated), std::move(tools));
}

}  // namespace cleave::server::api
