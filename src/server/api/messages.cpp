#include "server/api/messages.h"

#include "server/api/failure.h"
#include "server/api/messages_writer.h"
#include "server/api/tool_choice.h"

namespace cleave::server::api {
namespace {

// What Claude Code puts before its system prompt, other in every request: it would make every prefix a new one.
constexpr std::string_view kBillingHeader = "x-anthropic-billing-header:";

void add_line(std::string& text, const std::string& more) {
  if (!text.empty() && !more.empty()) text += '\n';
  text += more;
}

// A text, or the texts of a list of blocks.
std::string text_of(const Field& content) {
  if (content.json().is_string()) return content.string();
  std::string text;
  for (const Field& block : content.elements()) {
    if (block.at("type").string() != "text") block.at("type").wrong("\"text\": this model reads nothing else");
    if (!block.at("text").string().starts_with(kBillingHeader)) add_line(text, block.at("text").string());
  }
  return text;
}

OrderedJson call_of(const Field& block) {
  const OrderedJson input = block.find("input") ? block.at("input").json() : OrderedJson::object();
  return {{"id", block.at("id").string()},
          {"type", "function"},
          {"function", {{"name", block.at("name").string()}, {"arguments", dump(input)}}}};
}

OrderedJson result_of(const Field& block) {
  const auto content = block.find("content");
  std::string text = content ? text_of(*content) : "";
  if (block.boolean("is_error", false)) text = "Error: " + text;
  return {{"role", "tool"}, {"tool_call_id", block.at("tool_use_id").string()}, {"content", std::move(text)}};
}

// A message of blocks becomes one message of its role, with the results of tools as messages of their own before it.
void add_blocks(const std::string& role, const Field& content, OrderedJson& messages) {
  OrderedJson message = {{"role", role}, {"content", nullptr}};
  std::string text, thinking;
  bool has_text = false;
  for (const Field& block : content.elements()) {
    const std::string& type = block.at("type").string();
    if (type == "text") {
      add_line(text, block.at("text").string());
      has_text = true;
    } else if (type == "tool_use") {
      message["tool_calls"].push_back(call_of(block));
    } else if (type == "tool_result") {
      messages.push_back(result_of(block));
    } else if (type == "thinking") {
      add_line(thinking, block.at("thinking").string());
    } else if (type != "redacted_thinking") {
      block.at("type").wrong("text, tool_use, tool_result or thinking");
    }
  }
  if (!thinking.empty()) message["reasoning_content"] = thinking;
  if (has_text) message["content"] = text;
  if (has_text || message.contains("tool_calls") || role == "assistant") {
    if (message["content"].is_null() && !message.contains("tool_calls")) message["content"] = "";
    messages.push_back(std::move(message));
  }
}

void add_message(const Field& message, OrderedJson& messages) {
  const std::string& role = message.at("role").string();
  if (role != "user" && role != "assistant" && role != "system") message.at("role").wrong("user, assistant or system");
  const Field content = message.at("content");
  if (content.json().is_string())
    messages.push_back({{"role", role}, {"content", content.string()}});
  else
    add_blocks(role, content, messages);
}

// Tools that Anthropic's own machines would run have a type and no schema; nobody runs them here.
void read_tools(const Field& tools, Conversation& conversation) {
  for (const Field& tool : tools.elements()) {
    const std::string type = tool.string("type").value_or("custom");
    if (type != "custom") continue;
    OrderedJson function = {{"name", tool.at("name").string()}};
    if (const auto description = tool.string("description")) function["description"] = *description;
    tool.at("input_schema").require_object();
    function["parameters"] = tool.at("input_schema").json();
    if (tool.boolean("strict", false)) function["strict"] = true;
    conversation.tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
}

void read_tool_choice(const Field& choice, Conversation& conversation) {
  using Mode = ToolChoice::Mode;
  ToolChoice& wanted = conversation.tool_choice;
  const std::string& type = choice.at("type").string();
  if (type == "any")
    wanted.mode = Mode::Required;
  else if (type == "none")
    wanted.mode = Mode::None;
  else if (type == "tool")
    wanted = {.mode = Mode::Named, .name = choice.at("name").string()};
  else if (type != "auto")
    choice.at("type").wrong("auto, any, tool or none");
  wanted.parallel = !choice.boolean("disable_parallel_tool_use", false);
  require_tools(conversation, choice);
}

void read_thinking(const Field& thinking, Generation& generation, Conversation& conversation) {
  const std::string& type = thinking.at("type").string();
  if (type == "enabled" || type == "adaptive") generation.thinking = true;
  if (type == "disabled") generation.thinking = false;
  generation.thinking_budget = thinking.integer("budget_tokens", 0, INT32_MAX);
  if (generation.thinking) conversation.variables["enable_thinking"] = *generation.thinking;
}

}  // namespace

Conversation read_anthropic_conversation(const Field& body) {
  Conversation conversation;
  if (const auto system = body.find("system"))
    if (std::string text = text_of(*system); !text.empty())
      conversation.messages.push_back({{"role", "system"}, {"content", std::move(text)}});
  const std::vector<Field> messages = body.at("messages").elements();
  if (messages.empty()) refuse("messages", "messages: the list is empty, wanted at least one");
  for (const Field& message : messages) add_message(message, conversation.messages);
  if (const auto tools = body.find("tools")) read_tools(*tools, conversation);
  if (const auto choice = body.find("tool_choice")) read_tool_choice(*choice, conversation);
  // An answer that has begun is continued.
  const OrderedJson& last = conversation.messages.back();
  conversation.continue_final_message = last["role"] == "assistant" && last["content"].is_string();
  conversation.add_generation_prompt = !conversation.continue_final_message;
  return conversation;
}

Translation read_messages(const OrderedJson& json, const Context& context) {
  const Field body(json);
  Generation generation;
  read_common(body, generation);
  generation.max_tokens = body.integer("max_tokens", 1, INT32_MAX);
  generation.stop = read_stops(body, "stop_sequences");
  Conversation conversation = read_anthropic_conversation(body);
  if (const auto format = body.find("output_format")) read_response_format(*format, generation);
  if (const auto config = body.find("output_config"); config && config->find("format"))
    read_response_format(config->at("format"), generation);
  if (const auto thinking = body.find("thinking")) read_thinking(*thinking, generation, conversation);
  generation.conversation = std::move(conversation);
  auto writer = make_messages_writer(head_of(generation, context));
  return {std::move(generation), std::move(writer)};
}

}  // namespace cleave::server::api
