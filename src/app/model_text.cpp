#include "app/model_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <system_error>

#include "app/terminal.h"
#include "base/error.h"
#include "ckpt/config.h"
#include "ckpt/gguf.h"
#include "text/chat/chat_template_files.h"
#include "text/files/directory_settings.h"
#include "text/files/tokenizer_files.h"
#include "text/files/tokenizer_gguf.h"

namespace cleave::app {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;  // what cannot be seen is not there
  return fs::exists(path, ignored);
}

text::GgufVocabulary gguf_vocabulary(const ckpt::GgufMetadata& metadata) {
  text::GgufVocabulary v;
  const auto* tokens = metadata.strings("tokenizer.ggml.tokens");
  if (tokens == nullptr)
    fail(ErrorKind::NotFound, "{}: has no tokenizer: metadata key tokenizer.ggml.tokens is missing", metadata.file());
  v.tokens = *tokens;
  v.model = metadata.string("tokenizer.ggml.model").value_or("");
  v.pre = metadata.string("tokenizer.ggml.pre").value_or("");
  if (const auto* merges = metadata.strings("tokenizer.ggml.merges")) v.merges = *merges;
  if (const auto types = metadata.integers("tokenizer.ggml.token_type"))
    v.token_types.assign(types->begin(), types->end());
  if (const auto scores = metadata.numbers("tokenizer.ggml.scores")) v.scores.assign(scores->begin(), scores->end());
  const auto id = [&](const char* key) -> std::optional<int32_t> {
    const auto value = metadata.integer(key);
    return value && *value >= 0 && *value < static_cast<int64_t>(v.tokens.size())
               ? std::optional(static_cast<int32_t>(*value))
               : std::nullopt;
  };
  v.bos = id("tokenizer.ggml.bos_token_id");
  v.eos = id("tokenizer.ggml.eos_token_id");
  v.unknown = id("tokenizer.ggml.unknown_token_id");
  v.add_bos = metadata.boolean("tokenizer.ggml.add_bos_token");
  v.add_eos = metadata.boolean("tokenizer.ggml.add_eos_token");
  v.add_space_prefix = metadata.boolean("tokenizer.ggml.add_space_prefix");
  v.cls = id("tokenizer.ggml.cls_token_id");
  v.separator = id("tokenizer.ggml.seperator_token_id");  // spelt so in the format
  v.remove_extra_whitespaces = metadata.boolean("tokenizer.ggml.remove_extra_whitespaces");
  if (const auto charsmap = metadata.integers("tokenizer.ggml.precompiled_charsmap"))
    for (const int64_t byte : *charsmap) v.charsmap.push_back(static_cast<char>(byte));
  return v;
}

text::ChatTemplateSources gguf_chat_templates(const ckpt::GgufMetadata& metadata) {
  constexpr std::string_view kKey = "tokenizer.chat_template";
  text::ChatTemplateSources sources;
  for (const auto& [key, value] : metadata.values()) {
    const auto* source = std::get_if<std::string_view>(&value);
    if (source == nullptr || !key.starts_with(kKey)) continue;
    if (key.size() == kKey.size()) sources["default"] = *source;
    if (key.size() > kKey.size() + 1 && key[kKey.size()] == '.') sources[key.substr(kKey.size() + 1)] = *source;
  }
  return sources;
}

text::ChatTemplateSources chat_templates(const ckpt::Checkpoint& checkpoint) {
  return checkpoint.gguf() != nullptr ? gguf_chat_templates(*checkpoint.gguf())
                                      : text::read_chat_templates(checkpoint.directory());
}

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

// The variables that a template may write: "bos_token" and its like, as texts.
Json special_tokens(const ckpt::Checkpoint& checkpoint, const text::Tokenizer& tokenizer) {
  if (checkpoint.gguf() == nullptr) return text::read_special_tokens(checkpoint.directory());
  Json tokens = Json::object();
  const std::pair<const char*, const char*> keys[] = {{"bos_token", "tokenizer.ggml.bos_token_id"},
                                                      {"eos_token", "tokenizer.ggml.eos_token_id"},
                                                      {"pad_token", "tokenizer.ggml.padding_token_id"},
                                                      {"unk_token", "tokenizer.ggml.unknown_token_id"}};
  for (const auto& [name, key] : keys)
    if (const auto id = checkpoint.gguf()->integer(key); id && *id >= 0 && *id < tokenizer.vocab_size())
      tokens[name] = tokenizer.token_bytes(static_cast<int32_t>(*id));
  return tokens;
}

// The chat format to use, or null. Says why not where that is not what was asked for.
std::unique_ptr<text::ChatFormat> choose_chat(const ckpt::Checkpoint& checkpoint, const text::Tokenizer& tokenizer,
                                              ChatMode mode) {
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
    return std::make_unique<text::ChatFormat>(std::move(sources), special_tokens(checkpoint, tokenizer), path);
  } catch (const Error& error) {
    if (mode == ChatMode::Always) throw;
    note(fmt::format("cleave: warning: {}; the text is sent as it stands", error.what()));
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

std::unique_ptr<text::Tokenizer> load_tokenizer(const ckpt::Checkpoint& checkpoint) {
  if (checkpoint.gguf() != nullptr)
    return text::tokenizer_from_gguf(gguf_vocabulary(*checkpoint.gguf()), checkpoint.gguf()->file());
  return text::load_tokenizer(checkpoint.directory());
}

std::unique_ptr<text::Tokenizer> load_tokenizer(const fs::path& path) {
  if (!is_there(path)) fail(ErrorKind::NotFound, "no model or tokenizer at {}", path.string());
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return text::load_tokenizer(path);
  const MappedFile file(path);
  if (!ckpt::is_gguf(file.bytes())) return text::load_tokenizer(path);
  const ckpt::GgufContents contents = ckpt::parse_gguf(file.bytes(), path.string());
  return text::tokenizer_from_gguf(gguf_vocabulary(contents.metadata), path.string());
}

jinja::Template load_chat_template(const fs::path& path, const std::string& name) {
  if (!is_there(path)) fail(ErrorKind::NotFound, "no model or template at {}", path.string());
  std::error_code ignored;
  text::ChatTemplateSources sources;
  if (fs::is_directory(path, ignored)) {
    sources = text::read_chat_templates(path);
  } else {
    const MappedFile file(path);
    sources = ckpt::is_gguf(file.bytes()) ? gguf_chat_templates(ckpt::parse_gguf(file.bytes(), path.string()).metadata)
                                          : text::read_chat_template_file(path);
  }
  return {text::choose_chat_template(sources, name, false, path.string()), path.filename().string()};
}

ModelText load_model_text(const OpenedModel& opened, ChatMode mode) {
  ModelText result;
  result.tokenizer = load_tokenizer(opened.checkpoint);
  result.chat = choose_chat(opened.checkpoint, *result.tokenizer, mode);
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

std::string ModelText::prompt_text(const std::vector<text::ChatMessage>& messages) const {
  return chat->prompt(messages, std::time(nullptr));
}

std::vector<int32_t> ModelText::prompt(const std::string& message, const std::optional<std::string>& system) const {
  if (chat != nullptr) return tokenizer->encode(prompt_text(conversation(message, system)), false);
  if (system)
    fail(ErrorKind::InvalidArgument, "--system needs a chat format, and the text is sent as it stands; leave it out");
  return tokenizer->encode(message, true);
}

}  // namespace cleave::app
