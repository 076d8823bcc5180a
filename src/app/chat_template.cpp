#include "app/chat_template.h"

namespace cleave::app {
namespace {

// A newline of the template is written as such or as the escape of a Jinja literal.
bool take_newline(std::string_view& text) {
  for (const std::string_view newline : {std::string_view("\n"), std::string_view("\\n")})
    if (text.starts_with(newline)) {
      text.remove_prefix(newline.size());
      return true;
    }
  return false;
}

// The literal between the beginning of a system turn and its end. Quotes end a Jinja literal, braces begin an
// expression, and other escapes than that of a newline are too rare to be worth reading.
std::optional<std::string> literal_turn(std::string_view text) {
  std::string message;
  while (!text.empty() && !text.starts_with("<|im_end|>")) {
    if (take_newline(text)) {
      message += '\n';
      continue;
    }
    if (std::string_view("\"'{}\\").find(text.front()) != std::string_view::npos) return std::nullopt;
    message += text.front();
    text.remove_prefix(1);
  }
  return text.empty() ? std::nullopt : std::optional(message);
}

}  // namespace

bool is_chatml(std::string_view chat_template) {
  return chat_template.find("<|im_start|>") != std::string_view::npos &&
         chat_template.find("<|im_end|>") != std::string_view::npos;
}

std::string default_system_message(std::string_view chat_template) {
  static constexpr std::string_view kTurn = "<|im_start|>system";
  std::optional<std::string> found;
  for (size_t at = chat_template.find(kTurn); at != std::string_view::npos; at = chat_template.find(kTurn, at + 1)) {
    std::string_view rest = chat_template.substr(at + kTurn.size());
    if (!take_newline(rest)) continue;
    const std::optional<std::string> message = literal_turn(rest);
    if (!message) continue;
    if (found && *found != *message) return "";  // which one holds is for the template to say
    found = message;
  }
  return found.value_or("");
}

}  // namespace cleave::app
