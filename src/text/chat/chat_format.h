#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/json.h"
#include "text/chat/chat_template_files.h"

namespace cleave::text {

struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
};

/// What a conversation is written with. Members that hold JSON do so as text, because the order of keys counts: tools
/// are written as they came.
struct ChatRequest {
  std::string messages;          // JSON: a list of messages
  std::string tools;             // JSON: a list of tools; "" for none
  std::string documents;         // JSON: a list of documents; "" for none
  std::string variables = "{}";  // JSON: an object of what else the template asks for ("enable_thinking")
  bool add_generation_prompt = true;
  bool continue_final_message = false;  // ends with the last message's text, for the model to go on with it
  std::string template_name;            // "" lets tools decide
  int64_t now = 0;                      // seconds since 1970
};

/// How a model wants a conversation written: its chat templates, with its special tokens. Immutable and thread-safe.
class ChatFormat {
 public:
  /// `special_tokens`: an object of the variables that a template may write ("bos_token": "<s>"). `what` names the
  /// model in errors.
  ChatFormat(ChatTemplateSources sources, const Json& special_tokens, std::string what);

  /// The prompt, to be encoded without special tokens added: a template writes those it needs. Throws
  /// Error(InvalidArgument) for a conversation that the template refuses, in its own words (jinja::Template::render).
  std::string render(const ChatRequest& request) const;

  /// The prompt up to where the assistant's answer begins.
  std::string prompt(std::span<const ChatMessage> messages, int64_t now) const;

  /// What stands right behind an answer, beginning with the token that ends it; "" where it cannot be told.
  std::string behind_answer() const;

 private:
  ChatTemplateSources sources_;
  std::string special_tokens_;  // JSON
  std::string what_;
};

/// The messages as ChatRequest wants them.
std::string to_json(std::span<const ChatMessage> messages);

/// A template of ChatML: "<|im_start|>role\ncontent<|im_end|>\n".
extern const char* const kChatMlTemplate;

}  // namespace cleave::text
