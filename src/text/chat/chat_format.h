#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/json.h"
#include "text/chat/chat_template_files.h"

namespace cleave::text {

/// A message of a conversation that is text alone.
struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
};

/// A conversation and how its prompt is to be written. Members that are JSON are held as text, because a template
/// writes tools with their keys in the order in which they came, and Json would sort the keys.
struct ChatRequest {
  std::string messages;          // JSON: a list of messages
  std::string tools;             // JSON: a list of tools; "" for none
  std::string documents;         // JSON: a list of documents; "" for none
  std::string variables = "{}";  // JSON: an object of further variables of the template ("enable_thinking")
  bool add_generation_prompt = true;
  bool continue_final_message = false;  // the prompt ends with the last message's text, which the model continues
  std::string template_name;            // "" chooses by whether there are tools (choose_chat_template)
  int64_t now = 0;                      // the time that the template may show, in seconds since 1970
};

/// The format in which a model wants a conversation: its chat templates and its special tokens. Immutable and
/// thread-safe.
class ChatFormat {
 public:
  /// `special_tokens` is an object of variables for the templates ("bos_token": "<s>"). `what` names the model in
  /// errors. Throws Error(Corrupt) for a template that cannot be parsed.
  ChatFormat(ChatTemplateSources sources, const Json& special_tokens, std::string what);

  /// The prompt of a conversation. Encode it without adding special tokens, because a template writes those it needs.
  /// Throws Error(InvalidArgument) for a conversation that the template refuses, with the template's own message.
  std::string render(const ChatRequest& request) const;

  /// What a template makes of the variables that a JSON object gives, of which those that it lacks are as in a prompt:
  /// special tokens, no tools, no documents, add_generation_prompt. `name` as in ChatRequest. Throws as render() does.
  std::string render_variables(const std::string& variables, const std::string& name, int64_t now) const;

  /// The prompt of a conversation up to where the assistant's answer begins. Throws as render() does.
  std::string prompt(std::span<const ChatMessage> messages, int64_t now) const;

  /// The text right behind an answer, which begins with the token that ends answers; "" if the templates do not show
  /// it.
  std::string behind_answer() const;

  /// The texts of the templates.
  const ChatTemplateSources& sources() const { return sources_; }

 private:
  ChatTemplateSources sources_;
  std::string special_tokens_;  // JSON
  std::string what_;
};

/// The messages as JSON, for ChatRequest::messages.
std::string to_json(std::span<const ChatMessage> messages);

/// A chat template that writes ChatML, "<|im_start|>role\ncontent<|im_end|>\n", for models that have its tokens and no
/// template.
extern const char* const kChatMlTemplate;

}  // namespace cleave::text
