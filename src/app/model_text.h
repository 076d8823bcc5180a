#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/open_model.h"
#include "jinja/template.h"
#include "text/chat/chat_format.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::app {

/// The tokenizer that comes with a checkpoint: a directory's files (text/tokenizer_files.h), or what a GGUF file holds.
/// Throws Error(NotFound) where there is none, Unsupported for a kind that is not known.
std::unique_ptr<text::Tokenizer> load_tokenizer(const ckpt::Checkpoint& checkpoint);

/// That of a path of which only the tokenizer is wanted: a directory, with or without weights, a GGUF file or one of a
/// tokenizer's own files.
std::unique_ptr<text::Tokenizer> load_tokenizer(const std::filesystem::path& path);

/// The chat template of a path, named as text/chat_template_files.h has it: of a directory, a GGUF file, or a
/// template's own file. Throws Error(NotFound) where there is none.
jinja::Template load_chat_template(const std::filesystem::path& path, const std::string& name);

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
  std::string prompt_text(const std::vector<text::ChatMessage>& messages) const;
  /// Tokens of a text: as the user's message of a conversation, or as it stands where there is no chat format.
  /// `system`: a message to precede it; throws Error(InvalidArgument) where there is one but no chat format.
  std::vector<int32_t> prompt(const std::string& message, const std::optional<std::string>& system) const;
};

/// Notes it where a template cannot be read and text is sent as it stands.
ModelText load_model_text(const OpenedModel& opened, ChatMode mode);

}  // namespace cleave::app
