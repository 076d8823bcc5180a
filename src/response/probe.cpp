#include "response/probe.h"

#include <fmt/format.h>

#include "base/error.h"
#include "response/literal.h"
#include "response/messages.h"

namespace cleave::response {
namespace {

OrderedJson user_message() {
  return {{"role", "user"}, {"content", std::string(probe::kUser)}};
}

}  // namespace

std::string probe_tools() {
  OrderedJson properties = OrderedJson::object();
  for (const std::string_view key : probe::kKeys)
    properties[std::string(key)] = {{"type", "string"}, {"description", "A value"}};
  const OrderedJson parameters = {{"type", "object"}, {"properties", properties}, {"required", OrderedJson::array()}};
  OrderedJson tools = OrderedJson::array();
  for (const std::string_view name : probe::kNames)
    tools.push_back(
        {{"type", "function"},
         {"function", {{"name", std::string(name)}, {"description", "A tool"}, {"parameters", parameters}}}});
  return json_text(tools);
}

Probe::Probe(const text::ChatFormat& format) : tools(probe_tools()), format_(format) {}

std::optional<std::string> Probe::render(const OrderedJson& messages, bool with_tools, bool as_prompt,
                                         const std::string& variables) const {
  text::ChatRequest request;
  request.add_generation_prompt = as_prompt;
  request.variables = variables;
  if (with_tools) request.tools = tools;
  try {
    request.messages = json_text(template_messages(messages, traits));
    return format_.render(request);
  } catch (const Error& error) {
    last_refusal_ = error.what();
    return std::nullopt;
  }
}

std::optional<std::string> Probe::prompt(bool with_tools, const std::string& variables) const {
  return render(OrderedJson::array({user_message()}), with_tools, true, variables);
}

std::optional<std::string> Probe::conversation(const OrderedJson& answers, bool with_tools,
                                               const std::string& variables) const {
  OrderedJson messages = OrderedJson::array({user_message()});
  messages.insert(messages.end(), answers.begin(), answers.end());
  return render(messages, with_tools, false, variables);
}

OrderedJson Probe::answer(const std::string& content, const std::string& reasoning) const {
  OrderedJson message = {{"role", "assistant"}, {"content", content}};
  if (!reasoning.empty()) message["reasoning_content"] = reasoning;
  return message;
}

OrderedJson Probe::answer_with_calls(const std::vector<ProbeCall>& calls, const std::string& reasoning) const {
  OrderedJson message = answer(call_content, reasoning);
  message["tool_calls"] = OrderedJson::array();
  for (size_t i = 0; i < calls.size(); ++i)
    message["tool_calls"].push_back(
        {{"id", ids_hold_names ? fmt::format("functions.{}:{}", calls[i].name, i) : calls[i].id},
         {"type", "function"},
         {"function", {{"name", calls[i].name}, {"arguments", calls[i].arguments}}}});
  return message;
}

std::optional<std::string> Probe::behind_user(const std::optional<std::string>& rendering) {
  if (!rendering) return std::nullopt;
  const size_t at = rendering->rfind(probe::kUser);
  if (at == std::string::npos) return std::nullopt;
  return rendering->substr(at + probe::kUser.size());
}

}  // namespace cleave::response
