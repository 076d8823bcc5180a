#include "response/conversation.h"

#include <array>
#include <optional>

#include "base/error.h"
#include "response/messages.h"

namespace cleave::response {
namespace {

constexpr std::string_view kBetween = "\n\n";  // texts of messages that become one

// The place of a message's text: its content, or the text of that content's last part.
std::string* text_in(OrderedJson& message) {
  OrderedJson& content = message["content"];
  if (content.is_array() && !content.empty() && content.back().contains("text"))
    return content.back()["text"].get_ptr<std::string*>();
  return content.get_ptr<std::string*>();
}

std::string stripped(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

void append(OrderedJson& message, const OrderedJson& other) {
  OrderedJson copy = other;
  std::string* text = text_in(message);
  const std::string* more = text_in(copy);
  if (text == nullptr || more == nullptr || more->empty()) return;
  if (!text->empty()) *text += kBetween;
  *text += *more;
}

OrderedJson system_first(const OrderedJson& messages) {
  OrderedJson system;
  OrderedJson result = OrderedJson::array();
  for (const OrderedJson& message : messages) {
    if (message["role"] != "system")
      result.push_back(message);
    else if (system.is_null())
      system = message;
    else
      append(system, message);
  }
  if (!system.is_null()) result.insert(result.begin(), system);
  return result;
}

OrderedJson neighbours_joined(const OrderedJson& messages) {
  OrderedJson result = OrderedJson::array();
  for (const OrderedJson& message : messages) {
    const bool alike = !result.empty() && result.back()["role"] == message["role"] && message["role"] != "tool" &&
                       !result.back().contains("tool_calls");
    if (!alike || message.contains("tool_calls"))
      result.push_back(message);
    else
      append(result.back(), message);
  }
  return result;
}

OrderedJson system_in_first_user(const OrderedJson& messages) {
  if (messages.size() < 2 || messages[0]["role"] != "system" || messages[1]["role"] != "user") return messages;
  OrderedJson first = messages[0];
  first["role"] = "user";
  append(first, messages[1]);
  OrderedJson result = OrderedJson::array({first});
  result.insert(result.end(), messages.begin() + 2, messages.end());
  return result;
}

/// Attempts to render one request with its messages told in one order or another.
class Attempts {
 public:
  Attempts(const text::ChatFormat& format, const text::ChatRequest& request) : format_(format), request_(request) {}

  // The prompt; nothing where the template refuses the messages or leaves out what a system message says.
  std::optional<std::string> render(const OrderedJson& messages) {
    request_.messages = messages.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    try {
      std::string prompt = format_.render(request_);
      if (tells_system(prompt, messages)) return prompt;
      if (!first_) first_ = prompt;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::InvalidArgument) throw;
      if (!error_) error_ = error;
    }
    return std::nullopt;
  }

  // What the first attempt came to, where no later one did better.
  std::string otherwise() const {
    if (first_) return *first_;
    throw *error_;
  }

 private:
  static bool tells_system(const std::string& prompt, const OrderedJson& messages) {
    for (OrderedJson message : messages) {
      const std::string* text = message["role"] == "system" ? text_in(message) : nullptr;
      if (text != nullptr && prompt.find(stripped(*text)) == std::string::npos) return false;
    }
    return true;
  }

  const text::ChatFormat& format_;
  text::ChatRequest request_;
  std::optional<std::string> first_;  // a prompt without what a system message says
  std::optional<Error> error_;
};

}  // namespace

std::string render_conversation(const text::ChatFormat& format, const text::ChatRequest& request,
                                const MessageTraits& traits) {
  OrderedJson given;
  try {
    given = parse_ordered_json(request.messages, "messages");
  } catch (const Error& error) {
    throw Error(ErrorKind::InvalidArgument, error.what());
  }
  OrderedJson messages = template_messages(given, traits);
  Attempts attempts(format, request);
  std::optional<std::string> prompt = attempts.render(messages);
  for (const auto& change : std::array{system_first, neighbours_joined, system_in_first_user}) {
    if (prompt) return *prompt;
    OrderedJson changed = change(messages);
    if (changed == messages) continue;
    messages = std::move(changed);
    prompt = attempts.render(messages);
  }
  return prompt ? *prompt : attempts.otherwise();
}

}  // namespace cleave::response
