#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inference/log.h"
#include "inference/opened.h"
#include "text/chat/chat_format.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::inference {

/// Whether conversations are written in the model's chat format.
enum class ChatMode {
  Automatic,  // where the model has a chat template
  Always,     // it is an error if the model has none
  Never,
};

/// How text becomes tokens of a model, and how an answer ends.
struct ModelText {
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<text::ChatFormat> chat;  // null where text is sent as it stands
  std::vector<int32_t> end_tokens;         // of config.json, generation_config.json and the chat format

  /// A conversation of one message: the system's, if there is one, and the user's.
  static std::vector<text::ChatMessage> conversation(const std::string& message,
                                                     const std::optional<std::string>& system);
  /// What the chat template makes of a conversation, up to where the answer begins. REQUIRES: chat.
  /// `now`: seconds since 1970, for templates that write today's date.
  std::string prompt_text(const std::vector<text::ChatMessage>& messages, int64_t now) const;
  /// Tokens of a text: as the user's message of a conversation, or as it stands where there is no chat format.
  /// `system`: a message to precede it; throws Error(InvalidArgument) where there is one but no chat format.
  std::vector<int32_t> prompt(const std::string& message, const std::optional<std::string>& system, int64_t now) const;
};

/// The tokenizer and chat format of a model. Warns where a template cannot be read and text is sent as it stands.
/// Throws Error as load_tokenizer() does; Unsupported where the mode is Always and there is no chat format.
ModelText load_model_text(const OpenedModel& opened, ChatMode mode, const Log& log = {});

}  // namespace cleave::inference
