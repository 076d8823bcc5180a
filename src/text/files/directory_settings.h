#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/tokenizer/pipeline.h"

namespace cleave::text {

/// The settings of a tokenizer whose directory has no tokenizer.json. They come from tokenizer_config.json,
/// special_tokens_map.json and added_tokens.json, and from what is built into the tokenizer class of Transformers that
/// these files name.
class DirectorySettings {
 public:
  /// The settings of a vocabulary file that stands alone: none.
  DirectorySettings() = default;
  /// Reads the settings of a directory; any of the files may be absent. Throws Error(Corrupt).
  static DirectorySettings read(const std::filesystem::path& directory);

  /// The patterns by which the class splits a text for a tiktoken vocabulary, one after the other.
  std::vector<std::string> tiktoken_patterns() const;
  /// The pattern by which the class splits a text for a byte-level BPE; nothing for GPT-2's pattern.
  std::optional<std::string> byte_level_pattern() const;
  /// The normalizer of a byte-level BPE; null for none.
  std::unique_ptr<Normalizer> normalizer() const;
  bool add_prefix_space() const;
  std::string unknown_token(const std::string& otherwise) const;
  BertNormalizing bert_normalizing() const;

  /// Adds to a pipeline the added tokens, and the post-processor that puts the class's tokens around a text.
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

}  // namespace cleave::text
