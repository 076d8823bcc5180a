#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/tokenizer/pipeline.h"

namespace cleave::text {

/// What a directory without a tokenizer.json says about its vocabulary: tokenizer_config.json, special_tokens_map.json
/// and added_tokens.json, and what Transformers' class of tokenizer, which they name, does by itself.
class DirectorySettings {
 public:
  /// No settings: those of a file alone.
  DirectorySettings() = default;
  /// Files that are not there say nothing. Throws Error(Corrupt).
  static DirectorySettings read(const std::filesystem::path& directory);

  /// How the class splits a text for a tiktoken vocabulary.
  std::vector<std::string> tiktoken_patterns() const;
  /// How it splits one for a byte-level BPE; nothing where GPT-2's pattern does.
  std::optional<std::string> byte_level_pattern() const;
  std::unique_ptr<Normalizer> normalizer() const;  // of a byte-level BPE; may be null
  bool add_prefix_space() const;
  std::string unknown_token(const std::string& otherwise) const;
  BertNormalizing bert_normalizing() const;

  /// Adds the added tokens, and what the class puts around a text.
  void add_tokens(Pipeline& stages) const;

 private:
  bool flag(const char* key, bool otherwise) const;
  std::string class_name() const;
  std::optional<std::string> special_token(const char* key) const;
  std::vector<std::pair<int32_t, AddedToken>> added_tokens(const TokenModel& model) const;

  Json config_ = Json::object();   // tokenizer_config.json, with special_tokens_map.json where it says nothing
  Json added_ = Json::object();    // added_tokens.json: tokens and ids
  std::string what_;               // names the directory in errors
  bool is_sentencepiece_ = false;  // whether there is a tokenizer.model or the like
};

/// The special tokens that a directory's tokenizer_config.json and special_tokens_map.json name, as an object of texts
/// ("bos_token": "<s>"): what a chat template may write. Throws Error(Corrupt).
Json read_special_tokens(const std::filesystem::path& directory);

}  // namespace cleave::text
