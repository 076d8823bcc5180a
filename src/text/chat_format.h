#pragma once

#include <memory>
#include <span>
#include <string>

namespace cleave::text {

struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
};

/// How a model wants a conversation written. Immutable and thread-safe.
class ChatFormat {
 public:
  virtual ~ChatFormat() = default;

  /// The whole prompt up to where the assistant's answer begins. To be encoded without special tokens added: a format
  /// writes those it needs. Throws Error(InvalidArgument) for a conversation the format cannot write.
  virtual std::string prompt(std::span<const ChatMessage> messages) const = 0;

  /// What to append, for a further user message, to a prompt and the answer's text that the model ended with
  /// end_of_turn(): prompt(m) + answer + end_of_turn() + next_turn(u) == prompt(m + answer + u).
  virtual std::string next_turn(const std::string& user_message) const = 0;

  /// The token that ends every turn ("<|im_end|>"); a generated one ends the answer.
  virtual std::string end_of_turn() const = 0;
};

/// ChatML: "<|im_start|>role\ncontent<|im_end|>\n". `default_system`, unless empty, opens conversations that have no
/// system message of their own.
std::unique_ptr<ChatFormat> make_chatml_format(const std::string& default_system);

}  // namespace cleave::text
