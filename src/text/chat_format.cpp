#include "text/chat_format.h"

#include "base/error.h"

namespace cleave::text {
namespace {

class ChatMl final : public ChatFormat {
 public:
  explicit ChatMl(std::string default_system) : default_system_(std::move(default_system)) {}

  std::string prompt(std::span<const ChatMessage> messages) const override {
    if (messages.empty()) fail(ErrorKind::InvalidArgument, "chat: a conversation needs at least one message, saw none");
    std::string text;
    if (messages.front().role != "system" && !default_system_.empty()) append_turn(text, "system", default_system_);
    for (const ChatMessage& message : messages) append_turn(text, checked_role(message.role), message.content);
    return text + kAnswer;
  }

  std::string next_turn(const std::string& user_message) const override {
    std::string text = "\n";  // the answer's own end-of-turn token came without its newline
    append_turn(text, "user", user_message);
    return text + kAnswer;
  }

  std::string end_of_turn() const override { return "<|im_end|>"; }

 private:
  static constexpr const char* kAnswer = "<|im_start|>assistant\n";

  // A role is written into the prompt as it stands, so one that carries markup could forge turns.
  static const std::string& checked_role(const std::string& role) {
    if (role.empty() || role.find_first_of("<|>\r\n") != std::string::npos)
      fail(ErrorKind::InvalidArgument,
           "chat: the role \"{}\" cannot be written in ChatML; use system, user or assistant", role);
    return role;
  }

  static void append_turn(std::string& text, const std::string& role, const std::string& content) {
    text.append("<|im_start|>").append(role).append("\n").append(content).append("<|im_end|>\n");
  }

  std::string default_system_;
};

}  // namespace

std::unique_ptr<ChatFormat> make_chatml_format(const std::string& default_system) {
  return std::make_unique<ChatMl>(default_system);
}

}  // namespace cleave::text
