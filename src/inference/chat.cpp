#include "inference/chat.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "inference/tokenizer.h"
#include "text/chat/chat_template_files.h"

namespace cleave::inference {
namespace {

// eos_token_id of a configuration: a number, a list of them, or null.
void add_end_tokens(const Json& config, std::vector<int32_t>& ids) {
  const auto found = config.find("eos_token_id");
  if (found == config.end()) return;
  const auto add = [&](const Json& value) {
    if (!value.is_number_integer()) return;
    const auto id = value.get<int64_t>();
    if (id >= 0 && id <= INT32_MAX && std::find(ids.begin(), ids.end(), id) == ids.end())
      ids.push_back(static_cast<int32_t>(id));
  };
  if (found->is_array())
    for (const Json& value : *found) add(value);
  else
    add(*found);
}

// The chat format to use, or null. Says why not where that is not what was asked for.
std::unique_ptr<text::ChatFormat> choose_chat(const ckpt::Checkpoint& checkpoint, const text::Tokenizer& tokenizer,
                                              ChatMode mode, const Log& log) {
  if (mode == ChatMode::Never) return nullptr;
  const std::string path = checkpoint.path().string();
  text::ChatTemplateSources sources = chat_templates(checkpoint);
  const bool has_chatml = tokenizer.token_id("<|im_start|>") && tokenizer.token_id("<|im_end|>");
  if (sources.empty() && mode == ChatMode::Always) {
    if (!has_chatml)
      fail(ErrorKind::Unsupported,
           "{} has no chat format: there is no chat template, and its tokenizer has no <|im_start|> and <|im_end|>",
           path);
    sources["default"] = text::kChatMlTemplate;
  }
  if (sources.empty()) return nullptr;
  try {
    return std::make_unique<text::ChatFormat>(std::move(sources), special_tokens(checkpoint), path);
  } catch (const Error& error) {
    if (mode == ChatMode::Always) throw;
    write(log, LogLevel::Warning, fmt::format("{}; the text is sent as it stands", error.what()));
    return nullptr;
  }
}

// The token that ends an answer as the chat template writes it, if it is a special one.
std::optional<int32_t> end_of_answer(const text::ChatFormat& chat, const text::Tokenizer& tokenizer) {
  const std::vector<int32_t> ids = tokenizer.encode(chat.behind_answer(), false);
  if (ids.empty() || !tokenizer.is_special(ids.front())) return std::nullopt;
  return ids.front();
}

}  // namespace

ModelText load_model_text(const OpenedModel& opened, ChatMode mode, const Log& log) {
  ModelText result;
  result.tokenizer = load_tokenizer(opened.checkpoint);
  result.chat = choose_chat(opened.checkpoint, *result.tokenizer, mode, log);
  add_end_tokens(opened.config, result.end_tokens);
  add_end_tokens(opened.checkpoint.generation_config(), result.end_tokens);
  const auto ends = result.chat != nullptr ? end_of_answer(*result.chat, *result.tokenizer) : std::nullopt;
  if (ends && std::find(result.end_tokens.begin(), result.end_tokens.end(), *ends) == result.end_tokens.end())
    result.end_tokens.push_back(*ends);
  return result;
}

std::vector<text::ChatMessage> ModelText::conversation(const std::string& message,
                                                       const std::optional<std::string>& system) {
  std::vector<text::ChatMessage> messages;
  if (system) messages.push_back({"system", *system});
  messages.push_back({"user", message});
  return messages;
}

std::string ModelText::prompt_text(const std::vector<text::ChatMessage>& messages, int64_t now) const {
  return chat->prompt(messages, now);
}

std::vector<int32_t> ModelText::prompt(const std::string& message, const std::optional<std::string>& system,
                                       int64_t now) const {
  if (chat != nullptr) return tokenizer->encode(prompt_text(conversation(message, system), now), false);
  if (system)
    fail(ErrorKind::InvalidArgument,
         "a system message needs a chat format, and the text is sent as it stands; leave it out");
  return tokenizer->encode(message, true);
}

}  // namespace cleave::inference
