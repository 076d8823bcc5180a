#include "server/api/responses.h"

#include "server/api/failure.h"
#include "server/api/responses_input.h"
#include "server/api/responses_writer.h"
#include "server/api/tool_choice.h"

namespace cleave::server::api {
namespace {

void refuse_state(const Field& body) {
  for (const char* key : {"previous_response_id", "conversation"})
    if (body.find(key)) refuse(key, "{}: this server keeps no state; send the whole history as input", key);
  if (body.boolean("background", false)) refuse("background", "background: this server keeps no state");
}

// The name of an allowed tool; nothing for one that OpenAI hosts, since tools_of_response() leaves those out.
std::optional<Field> name_of(const Field& tool) {
  const std::string type = tool.string("type").value_or("function");
  if (type != "function" && type != "custom" && type != "namespace") return std::nullopt;
  return tool.at("name");
}

void read_tool_choice(const Field& choice, Conversation& conversation) {
  ToolChoice& wanted = conversation.tool_choice;
  if (choice.json().is_string()) {
    wanted.mode = tool_mode(choice);
  } else if (const std::string& type = choice.at("type").string(); type == "function" || type == "custom") {
    wanted.mode = ToolChoice::Mode::Named;
    wanted.name = choice.at("name").string();
  } else if (type == "allowed_tools") {
    wanted.mode = tool_mode(choice.at("mode"));
    keep_tools(conversation, choice.at("tools").elements(), name_of);
  } else {
    choice.at("type").wrong("function, custom or allowed_tools");
  }
  require_tools(conversation, choice);
}

void read_reasoning(const Field& reasoning, Generation& generation, Conversation& conversation) {
  const auto effort = reasoning.string("effort");
  if (!effort) return;
  generation.thinking = *effort != "none";
  conversation.variables["enable_thinking"] = *generation.thinking;
  if (*generation.thinking) conversation.variables["reasoning_effort"] = *effort;
}

// What a response repeats of its request.
OrderedJson repeated(const Field& body) {
  OrderedJson result = {{"instructions", nullptr},
                        {"max_output_tokens", nullptr},
                        {"parallel_tool_calls", true},
                        {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
                        {"temperature", nullptr},
                        {"text", {{"format", {{"type", "text"}}}}},
                        {"tool_choice", "auto"},
                        {"tools", OrderedJson::array()},
                        {"top_p", nullptr},
                        {"metadata", OrderedJson::object()}};
  for (auto& [key, value] : result.items())
    if (const auto field = body.find(key.c_str())) value = field->json();
  return result;
}

}  // namespace

Translation read_responses(const OrderedJson& json, const Context& context) {
  const Field body(json);
  Generation generation;
  read_common(body, generation);
  refuse_state(body);
  generation.max_tokens = body.integer("max_output_tokens", 1, INT32_MAX);
  if (const auto text = body.find("text"); text && text->find("format"))
    read_response_format(text->at("format"), generation);
  Conversation conversation;
  conversation.messages = messages_of_input(body);
  conversation.tools = tools_of_response(body);
  if (const auto choice = body.find("tool_choice")) read_tool_choice(*choice, conversation);
  conversation.tool_choice.parallel = body.boolean("parallel_tool_calls", true);
  if (const auto reasoning = body.find("reasoning")) read_reasoning(*reasoning, generation, conversation);
  generation.thinking_budget = body.integer("thinking_token_budget", 0, INT32_MAX);
  if (const auto variables = body.find("chat_template_kwargs")) {
    variables->require_object();
    conversation.variables.update(variables->json());
  }
  generation.conversation = std::move(conversation);
  auto writer = make_responses_writer(head_of(generation, context), repeated(body), response_tools(body));
  return {std::move(generation), std::move(writer)};
}

}  // namespace cleave::server::api
