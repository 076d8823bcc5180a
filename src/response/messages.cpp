#include "response/messages.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/untrusted_text.h"

namespace cleave::response {
namespace {

constexpr std::array kReasoningKeys = {"reasoning_content", "reasoning", "thinking"};

[[noreturn]] void refuse(const std::string& place, const std::string& message) {
  fail(ErrorKind::InvalidArgument, "{}: {}", place, message);
}

bool has(const OrderedJson& object, const char* key) {
  return object.contains(key) && !object[key].is_null();
}

std::string string_of(const OrderedJson& object, const char* key, const std::string& place) {
  if (!has(object, key) || !object[key].is_string()) refuse(place, fmt::format("wanted a string \"{}\"", key));
  return object[key].get<std::string>();
}

std::string text_of_part(const OrderedJson& part, const std::string& place) {
  if (part.is_string()) return part.get<std::string>();
  if (!part.is_object()) refuse(place, "wanted a part of a message, as {\"type\": \"text\", \"text\": ...}");
  const std::string type = string_of(part, "type", place);
  for (const char* text : {"text", "input_text", "output_text"})
    if (type == text) return string_of(part, "text", place);
  if (type == "refusal") return string_of(part, "refusal", place);
  refuse(place, fmt::format("a part of type {} cannot be read, only text", in_quotes(type)));
}

std::string text_of(const OrderedJson& content, const std::string& place) {
  if (content.is_null()) return "";
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) refuse(place, "wanted a string or a list of parts");
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) text += text_of_part(content[i], fmt::format("{}[{}]", place, i));
  return text;
}

OrderedJson arguments_of(const OrderedJson& function, bool as_object, const std::string& place) {
  const OrderedJson given = has(function, "arguments") ? function["arguments"] : OrderedJson::object();
  if (!given.is_string())
    return as_object ? given : OrderedJson(given.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
  if (!as_object) return given;
  const std::string text = given.get<std::string>();
  const bool blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
  if (blank) return OrderedJson::object();
  try {
    return parse_ordered_json(text, place + ".arguments");
  } catch (const Error& error) {
    throw Error(ErrorKind::InvalidArgument, error.what());
  }
}

/// Writes the messages of one conversation, in which later ones refer to earlier ones.
class MessageWriter {
 public:
  explicit MessageWriter(const MessageTraits& traits) : traits_(traits) {}

  OrderedJson write(OrderedJson message, const std::string& place) {
    if (!message.is_object()) refuse(place, "wanted an object");
    write_role(message, place);
    write_calls(message, place);
    write_reply(message);
    write_content(message, place);
    return message;
  }

 private:
  static void write_role(OrderedJson& message, const std::string& place) {
    const std::string role = string_of(message, "role", place);
    if (role == "developer") message["role"] = "system";
    if (role == "function") message["role"] = "tool";
  }

  void write_calls(OrderedJson& message, const std::string& place) {
    if (has(message, "function_call") && !has(message, "tool_calls"))
      message["tool_calls"] = OrderedJson::array({{{"type", "function"}, {"function", message["function_call"]}}});
    message.erase("function_call");
    if (!has(message, "tool_calls")) return static_cast<void>(message.erase("tool_calls"));
    OrderedJson& calls = message["tool_calls"];
    if (!calls.is_array()) refuse(place + ".tool_calls", "wanted a list");
    for (size_t i = 0; i < calls.size(); ++i) write_call(calls[i], fmt::format("{}.tool_calls[{}]", place, i));
    if (calls.empty()) message.erase("tool_calls");
  }

  void write_call(OrderedJson& call, const std::string& place) {
    if (!call.is_object() || !has(call, "function") || !call["function"].is_object())
      refuse(place, "wanted a call, as {\"id\": ..., \"type\": \"function\", \"function\": {...}}");
    OrderedJson& function = call["function"];
    const std::string name = string_of(function, "name", place + ".function");
    function["arguments"] = arguments_of(function, traits_.arguments_are_objects, place + ".function");
    if (!has(call, "type")) call["type"] = "function";
    if (!has(call, "id")) return;
    const std::string id = string_of(call, "id", place);
    names_[id] = name;
    call["id"] = id_of(id);
  }

  void write_reply(OrderedJson& message) const {
    if (message["role"] != "tool" || !has(message, "tool_call_id") || !message["tool_call_id"].is_string()) return;
    const std::string id = message["tool_call_id"].get<std::string>();
    message["tool_call_id"] = id_of(id);
    const auto name = names_.find(id);
    if (name != names_.end() && !has(message, "name")) message["name"] = name->second;
  }

  void write_content(OrderedJson& message, const std::string& place) const {
    std::string reasoning = take_reasoning(message, place);
    std::string text = text_of(message.contains("content") ? message["content"] : OrderedJson(), place + ".content");
    if (text.empty() && has(message, "refusal")) text = string_of(message, "refusal", place);
    const bool calls_alone = text.empty() && message.contains("tool_calls");
    if (!reasoning.empty() && traits_.reasoning_is_part)
      message["content"] = OrderedJson::array(
          {{{"type", "thinking"}, {"thinking", std::move(reasoning)}}, {{"type", "text"}, {"text", std::move(text)}}});
    else if (calls_alone && traits_.call_content_is_null)
      message["content"] = nullptr;
    else if (traits_.content_is_parts)
      message["content"] = OrderedJson::array({{{"type", "text"}, {"text", std::move(text)}}});
    else
      message["content"] = std::move(text);
    if (!reasoning.empty() && !traits_.reasoning_is_part && !traits_.reasoning_key.empty())
      message[traits_.reasoning_key] = std::move(reasoning);
  }

  // Takes the reasoning out of a message, wherever a client put it.
  static std::string take_reasoning(OrderedJson& message, const std::string& place) {
    std::string reasoning;
    for (const char* key : kReasoningKeys) {
      if (has(message, key) && reasoning.empty()) reasoning = text_of(message[key], place + "." + key);
      message.erase(key);
    }
    if (!message.contains("content") || !message["content"].is_array()) return reasoning;
    OrderedJson others = OrderedJson::array();
    for (OrderedJson& part : message["content"]) {
      const bool thinks = part.is_object() && part.contains("type") && part["type"] == "thinking";
      if (thinks && reasoning.empty()) reasoning = text_of(part.value("thinking", OrderedJson()), place + ".content");
      if (!thinks) others.push_back(std::move(part));
    }
    message["content"] = std::move(others);
    return reasoning;
  }

  std::string id_of(const std::string& id) const { return traits_.ids_are_short ? short_id(id) : id; }

  const MessageTraits& traits_;
  std::map<std::string, std::string> names_;  // of the functions that were called, by the calls' ids
};

}  // namespace

OrderedJson template_messages(const OrderedJson& messages, const MessageTraits& traits) {
  if (!messages.is_array() || messages.empty()) refuse("messages", "wanted a list of at least one message");
  MessageWriter writer(traits);
  OrderedJson written = OrderedJson::array();
  for (size_t i = 0; i < messages.size(); ++i)
    written.push_back(writer.write(messages[i], fmt::format("messages[{}]", i)));
  return written;
}

std::string short_id(const std::string& id) {
  constexpr size_t kLength = 9;
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const auto is_letter = [&](char c) { return kLetters.find(c) != std::string_view::npos; };
  if (id.size() == kLength && std::all_of(id.begin(), id.end(), is_letter)) return id;
  Hash hash;
  for (const char c : id) hash.add(static_cast<unsigned char>(c));
  uint64_t value = hash.value();
  std::string result;
  for (; result.size() < kLength; value /= kLetters.size()) result += kLetters[value % kLetters.size()];
  return result;
}

}  // namespace cleave::response
