#include "inference/tokenizer.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/files.h"
#include "base/mapped_file.h"
#include "base/ordered_json.h"
#include "ckpt/gguf/gguf.h"
#include "ckpt/gguf/parts.h"
#include "ckpt/model_path.h"
#include "response/find_format.h"
#include "text/files/special_tokens.h"
#include "text/files/tokenizer_files.h"
#include "text/files/tokenizer_gguf.h"

namespace cleave::inference {
namespace {

namespace fs = std::filesystem;

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

Json gguf_special_tokens(const ckpt::GgufMetadata& metadata) {
  Json tokens = Json::object();
  const auto* texts = metadata.strings("tokenizer.ggml.tokens");
  const std::pair<const char*, const char*> keys[] = {{"bos_token", "tokenizer.ggml.bos_token_id"},
                                                      {"eos_token", "tokenizer.ggml.eos_token_id"},
                                                      {"pad_token", "tokenizer.ggml.padding_token_id"},
                                                      {"unk_token", "tokenizer.ggml.unknown_token_id"}};
  for (const auto& [name, key] : keys)
    if (const auto id = metadata.integer(key);
        texts != nullptr && id && *id >= 0 && *id < static_cast<int64_t>(texts->size()))
      tokens[name] = (*texts)[static_cast<size_t>(*id)];
  return tokens;
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

}  // namespace

text::ChatTemplateSources chat_templates(const ckpt::Checkpoint& checkpoint) {
  return checkpoint.gguf() != nullptr ? gguf_chat_templates(*checkpoint.gguf())
                                      : text::read_chat_templates(checkpoint.directory());
}

std::unique_ptr<text::Tokenizer> load_tokenizer(const ckpt::Checkpoint& checkpoint) {
  if (checkpoint.gguf() != nullptr)
    return text::tokenizer_from_gguf(gguf_vocabulary(*checkpoint.gguf()), checkpoint.gguf()->file());
  return text::load_tokenizer(checkpoint.directory());
}

std::unique_ptr<text::Tokenizer> load_tokenizer(const fs::path& path) {
  if (!is_there(path)) fail(ErrorKind::NotFound, "no model or tokenizer at {}", path.string());
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return text::load_tokenizer(ckpt::model_directory(path));
  MappedFile given(path);
  if (!ckpt::is_gguf(given.bytes())) return text::load_tokenizer(path);
  const MappedFile file = ckpt::open_gguf_metadata(std::move(given));
  const ckpt::GgufContents contents = ckpt::parse_gguf(file.bytes(), path.string());
  return text::tokenizer_from_gguf(gguf_vocabulary(contents.metadata), path.string());
}

jinja::Template load_chat_template(const fs::path& path, const std::string& name) {
  const text::ChatTemplateSources sources = text::read_chat_template_file(path);
  return {text::choose_chat_template(sources, name, false, path.string()), path.filename().string()};
}

std::unique_ptr<text::ChatFormat> load_chat_format(const fs::path& path) {
  if (!is_there(path)) fail(ErrorKind::NotFound, "no model or template at {}", path.string());
  std::error_code ignored;
  text::ChatTemplateSources sources;
  Json tokens;
  if (fs::is_directory(path, ignored)) {
    const fs::path directory = ckpt::model_directory(path);
    sources = text::read_chat_templates(directory);
    tokens = text::SpecialTokens::read(directory).variables();
  } else {
    MappedFile given(path);
    if (!ckpt::is_gguf(given.bytes())) return nullptr;
    const MappedFile file = ckpt::open_gguf_metadata(std::move(given));
    const ckpt::GgufContents contents = ckpt::parse_gguf(file.bytes(), path.string());
    sources = gguf_chat_templates(contents.metadata);
    tokens = gguf_special_tokens(contents.metadata);
  }
  if (sources.empty()) fail(ErrorKind::NotFound, "{}: has no chat template", path.string());
  return std::make_unique<text::ChatFormat>(std::move(sources), tokens, path.string());
}

response::ResponseFormat load_response_format(const fs::path& path, const text::ChatFormat& chat) {
  std::error_code ignored;
  const fs::path directory = fs::is_directory(path, ignored) ? ckpt::model_directory(path) : fs::path();
  const fs::path file = directory / "tokenizer_config.json";
  if (directory.empty() || !is_file(file)) return response::find_response_format(chat);
  return response::find_response_format(chat, parse_ordered_json(MappedFile(file).text(), file.string()));
}

Json special_tokens(const ckpt::Checkpoint& checkpoint) {
  return checkpoint.gguf() != nullptr ? gguf_special_tokens(*checkpoint.gguf())
                                      : text::SpecialTokens::read(checkpoint.directory()).variables();
}

}  // namespace cleave::inference
