#include "text/chat/chat_format.h"

#include <fmt/format.h>

#include "base/error.h"
#include "jinja/characters.h"
#include "jinja/template.h"

namespace cleave::text {

const char* const kChatMlTemplate =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

namespace {

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The entries of a JSON object without its braces, each with a comma before it.
std::string entries(const std::string& object, const std::string& what) {
  if (!parse_json(object, what).is_object()) fail(ErrorKind::InvalidArgument, "{}: wanted a JSON object", what);
  const size_t begin = object.find('{') + 1;
  const std::string inside = object.substr(begin, object.rfind('}') - begin);
  return inside.find('"') == std::string::npos ? "" : "," + inside;
}

// Python's bool() of a list, an object or null.
bool truthy(const Json& json) {
  return !json.is_null() && json != false && !json.empty();
}

// The text of the last message, or of its last part that has one.
std::string final_text(const std::string& messages) {
  const Json list = parse_json(messages, "messages");
  if (!list.is_array() || list.empty() || !list.back().is_object())
    fail(ErrorKind::InvalidArgument, "messages: wanted a list of at least one message");
  const Json content = list.back().value("content", Json());
  if (content.is_string()) return content.get<std::string>();
  if (content.is_array())
    for (auto part = content.rbegin(); part != content.rend(); ++part)
      if (part->is_object() && part->contains("text") && (*part)["text"].is_string())
        return (*part)["text"].get<std::string>();
  fail(ErrorKind::InvalidArgument, "messages: there is no text in the final message to go on with");
}

// The prompt up to the end of the last message's text, as Transformers cuts it (apply_chat_template).
std::string up_to(const std::string& prompt, const std::string& text) {
  const std::string stripped(jinja::stripped(text, nullptr, jinja::Sides::Both));
  const size_t at = prompt.rfind(stripped);
  if (at == std::string::npos)
    fail(ErrorKind::InvalidArgument, "the final message does not appear in what the chat template makes of it");
  const std::string left_stripped(jinja::stripped(text, nullptr, jinja::Sides::Left));
  const bool kept = prompt.compare(at, left_stripped.size(), left_stripped) == 0;
  return prompt.substr(0, at + (kept ? left_stripped.size() : stripped.size()));
}

}  // namespace

ChatFormat::ChatFormat(ChatTemplateSources sources, const Json& special_tokens, std::string what)
    : sources_(std::move(sources)), special_tokens_(dump(special_tokens)), what_(std::move(what)) {
  // Parse all templates now, so that a broken one is found at once.
  for (const auto& [name, source] : sources_) jinja::Template(source, fmt::format("{}: chat template {}", what_, name));
}

std::string ChatFormat::render(const ChatRequest& request) const {
  if (request.continue_final_message && request.add_generation_prompt)
    fail(ErrorKind::InvalidArgument, "continue_final_message and add_generation_prompt exclude one another");
  const bool has_tools = !request.tools.empty() && request.tools != "null";
  const std::string& source = choose_chat_template(sources_, request.template_name, has_tools, what_);
  const auto or_null = [](const std::string& json) { return json.empty() ? "null" : json.c_str(); };
  const std::string variables =
      fmt::format("{{\"messages\":{},\"tools\":{},\"documents\":{},\"add_generation_prompt\":{}{}{}}}",
                  request.messages, or_null(request.tools), or_null(request.documents), request.add_generation_prompt,
                  entries(special_tokens_, "special tokens"), entries(request.variables, "template variables"));
  std::string prompt = jinja::Template(source, what_ + ": chat template").render(variables, request.now);
  return request.continue_final_message ? up_to(prompt, final_text(request.messages)) : prompt;
}

std::string ChatFormat::render_variables(const std::string& variables, const std::string& name, int64_t now) const {
  const Json given = parse_json(variables, "template variables");
  const bool has_tools = given.is_object() && given.contains("tools") && truthy(given["tools"]);
  const std::string& source = choose_chat_template(sources_, name, has_tools, what_);
  const std::string all = fmt::format(R"({{"tools":null,"documents":null,"add_generation_prompt":true{}{}}})",
                                      entries(special_tokens_, "special tokens"),
                                      entries(variables, "template variables"));  // what comes later counts
  return jinja::Template(source, what_ + ": chat template").render(all, now);
}

std::string ChatFormat::prompt(std::span<const ChatMessage> messages, int64_t now) const {
  ChatRequest request;
  request.messages = to_json(messages);
  request.now = now;
  return render(request);
}

std::string ChatFormat::behind_answer() const {
  const std::string answer = "An answer that no template writes by itself";
  const std::vector<ChatMessage> messages = {{"user", "A question"}, {"assistant", answer}};
  ChatRequest request;
  request.messages = to_json(messages);
  request.add_generation_prompt = false;
  try {
    const std::string text = render(request);
    const size_t at = text.rfind(answer);
    return at == std::string::npos ? "" : text.substr(at + answer.size());
  } catch (const Error&) {
    return "";  // the template refuses this conversation
  }
}

std::string to_json(std::span<const ChatMessage> messages) {
  std::string list;
  for (const ChatMessage& message : messages)
    list += fmt::format("{}{{\"role\":{},\"content\":{}}}", list.empty() ? "" : ",", dump(message.role),
                        dump(message.content));
  return "[" + list + "]";
}

}  // namespace cleave::text
