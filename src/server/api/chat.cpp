#include "server/api/chat.h"

#include "server/api/chat_writer.h"
#include "server/api/failure.h"
#include "server/api/tool_choice.h"

namespace cleave::server::api {
namespace {

constexpr int64_t kMaxAlternatives = 20;
constexpr size_t kMaxMessages = 100'000, kMaxTools = 1024;

void read_logprobs(const Field& body, Generation& generation) {
  const auto top = body.integer("top_logprobs", 0, kMaxAlternatives);
  const bool wanted = body.boolean("logprobs", false);
  if (top && *top > 0 && !wanted) refuse("top_logprobs", "top_logprobs: only with \"logprobs\": true");
  if (wanted) generation.logprobs = static_cast<int>(top.value_or(0));
}

void require_message(const Field& message) {
  message.require_object();
  message.at("role").string();
}

// Names of functions, each once.
void read_tools(const Field& tools, Conversation& conversation) {
  for (const Field& tool : tools.elements()) {
    if (tool.at("type").string() != "function") tool.at("type").wrong("\"function\"");
    const Field function = tool.at("function");
    if (function.at("name").string().empty()) function.at("name").wrong("a name");
    if (const auto parameters = function.find("parameters")) parameters->require_object();
  }
  if (tools.json().size() > kMaxTools) refuse("tools", "tools: {}, wanted at most {}", tools.json().size(), kMaxTools);
  conversation.tools = tools.json();
}

Field name_in_function(const Field& tool) {
  return tool.find("function") ? tool.at("function").at("name") : tool.at("name");
}

void read_tool_choice(const Field& choice, Conversation& conversation) {
  ToolChoice& wanted = conversation.tool_choice;
  Field place = choice;
  if (choice.json().is_string()) {
    wanted.mode = tool_mode(choice);
  } else if (choice.at("type").string() == "function") {
    place = name_in_function(choice);
    wanted.mode = ToolChoice::Mode::Named;
    wanted.name = place.string();
  } else if (choice.at("type").string() == "allowed_tools") {
    const Field allowed = choice.find("allowed_tools").value_or(choice);
    wanted.mode = tool_mode(allowed.at("mode"));
    keep_tools(conversation, allowed.at("tools").elements(),
               [](const Field& tool) { return std::optional(name_in_function(tool)); });
  } else {
    choice.at("type").wrong("function or allowed_tools");
  }
  require_tools(conversation, place);
}

void refuse_what_is_not_text(const Field& body) {
  const auto modalities = body.find("modalities");
  if (!modalities) return;
  for (const Field& modality : modalities->elements())
    if (modality.string() != "text") modality.wrong("\"text\": this server answers in nothing else");
}

// "none" turns thinking off, other efforts on; templates that know efforts get the word, too.
void read_reasoning(const Field& body, Generation& generation, Conversation& conversation) {
  if (const auto effort = body.string("reasoning_effort")) {
    generation.thinking = *effort != "none";
    if (*effort != "none") conversation.variables["reasoning_effort"] = *effort;
  }
  if (const auto variables = body.find("chat_template_kwargs"); variables && variables->find("enable_thinking"))
    generation.thinking = variables->boolean("enable_thinking", true);
  generation.thinking_budget = body.integer("thinking_token_budget", 0, INT32_MAX);
}

}  // namespace

Conversation read_conversation(const Field& body) {
  Conversation conversation;
  const Field messages = body.at("messages");
  const std::vector<Field> elements = messages.elements();
  if (elements.empty()) refuse("messages", "messages: the list is empty, wanted at least one");
  if (elements.size() > kMaxMessages)
    refuse("messages", "messages: {}, wanted at most {}", elements.size(), kMaxMessages);
  for (const Field& message : elements) require_message(message);
  conversation.messages = messages.json();
  if (const auto tools = body.find("tools")) read_tools(*tools, conversation);
  if (const auto choice = body.find("tool_choice")) read_tool_choice(*choice, conversation);
  conversation.tool_choice.parallel = body.boolean("parallel_tool_calls", true);
  if (const auto documents = body.find("documents")) {
    documents->elements();
    conversation.documents = documents->json();
  }
  if (const auto variables = body.find("chat_template_kwargs")) {
    variables->require_object();
    conversation.variables = variables->json();
  }
  conversation.continue_final_message = body.boolean("continue_final_message", false);
  conversation.add_generation_prompt = body.boolean("add_generation_prompt", !conversation.continue_final_message);
  if (conversation.continue_final_message && conversation.add_generation_prompt)
    refuse("continue_final_message", "continue_final_message and add_generation_prompt exclude one another");
  conversation.template_name = body.string("chat_template_name").value_or("");
  return conversation;
}

Translation read_chat(const OrderedJson& json, const Context& context) {
  const Field body(json);
  Generation generation;
  read_common(body, generation);
  read_openai_sampling(body, generation);
  read_logprobs(body, generation);
  refuse_what_is_not_text(body);
  generation.max_tokens = body.integer("max_completion_tokens", 1, INT32_MAX);
  if (!generation.max_tokens) generation.max_tokens = body.integer("max_tokens", 1, INT32_MAX);
  Conversation conversation = read_conversation(body);
  read_reasoning(body, generation, conversation);
  if (generation.thinking && !conversation.variables.contains("enable_thinking"))
    conversation.variables["enable_thinking"] = *generation.thinking;
  generation.conversation = std::move(conversation);
  const ChatWriterOptions options{.num_answers = static_cast<size_t>(generation.n),
                                  .stream = read_stream_options(body, generation.stream),
                                  .logprobs = generation.logprobs >= 0,
                                  .token_ids = body.boolean("return_token_ids", false)};
  auto writer = make_chat_writer(head_of(generation, context), options);
  return {std::move(generation), std::move(writer)};
}

}  // namespace cleave::server::api
