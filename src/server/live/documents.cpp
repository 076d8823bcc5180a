#include "server/live/documents.h"

#include "server/api/chat.h"
#include "server/api/field.h"
#include "server/api/messages.h"
#include "server/live/prepare.h"

namespace cleave::server {
namespace {

OrderedJson entry(const ServedModel& model, const std::string& name) {
  return {{"id", name},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "cleave"},
          {"max_model_len", model.context}};
}

std::string rendered(const api::Field& body, const ServedModel& model, int64_t now) {
  return render(api::read_conversation(body), model, now);
}

}  // namespace

OrderedJson models_document(const ServedModel& model) {
  OrderedJson list = OrderedJson::array(), models = OrderedJson::array();
  const auto add = [&](const std::string& name) {
    list.push_back(entry(model, name));
    models.push_back({{"slug", name}, {"name", name}, {"display_name", name}, {"context_window", model.context}});
  };
  add(model.name);
  for (const std::string& alias : model.aliases) add(alias);
  return {{"object", "list"}, {"data", std::move(list)}, {"models", std::move(models)}};
}

OrderedJson model_document(const ServedModel& model, const std::string& name) {
  require_model(name, model);
  return entry(model, name);
}

OrderedJson tokenizer_document(const ServedModel& model) {
  OrderedJson reply = {{"eos_token", nullptr}, {"chat_template", nullptr}};
  if (!model.text.end_tokens.empty())
    reply["eos_token"] = model.text.tokenizer->token_bytes(model.text.end_tokens.front());
  if (model.text.chat != nullptr)
    for (const auto& [name, source] : model.text.chat->sources())
      if (name == "default") reply["chat_template"] = source;
  return reply;
}

OrderedJson tokenize_document(const OrderedJson& json, const ServedModel& model, int64_t now) {
  const api::Field body(json);
  std::string text;
  bool special = body.boolean("add_special_tokens", true);
  if (body.find("messages")) {
    text = rendered(body, model, now);
    special = false;
  } else {
    text = body.find("prompt") ? body.at("prompt").string() : body.at("content").string();
  }
  const std::vector<int32_t> tokens = model.text.tokenizer->encode(text, special);
  OrderedJson reply = {{"count", tokens.size()}, {"max_model_len", model.context}, {"tokens", tokens}};
  if (body.boolean("return_token_strs", false) || body.boolean("with_pieces", false))
    for (const int32_t id : tokens) reply["token_strs"].push_back(model.text.tokenizer->token_bytes(id));
  return reply;
}

OrderedJson detokenize_document(const OrderedJson& json, const ServedModel& model, int64_t) {
  const api::Field body(json);
  body.at("tokens");
  const std::string text = model.text.tokenizer->decode(body.ids("tokens"), body.boolean("skip_special_tokens", false));
  return {{"prompt", text}, {"content", text}};
}

OrderedJson template_document(const OrderedJson& json, const ServedModel& model, int64_t now) {
  return {{"prompt", rendered(api::Field(json), model, now)}};
}

OrderedJson count_tokens_document(const OrderedJson& json, const ServedModel& model, int64_t now) {
  const api::Field body(json);
  require_model(body.string("model").value_or(""), model);
  const std::string text = render(api::read_anthropic_conversation(body), model, now);
  return {{"input_tokens", model.text.tokenizer->encode(text, false).size()}};
}

}  // namespace cleave::server
