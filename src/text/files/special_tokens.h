#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/ordered_json.h"
#include "text/stages/added_tokens.h"

namespace cleave::text {

/// The special and added tokens that a directory names beside its tokenizer, in tokenizer_config.json,
/// special_tokens_map.json and added_tokens.json: read as AutoTokenizer of Transformers 5 does it
/// (tokenization_utils_base.py). Where tokenizer_config.json has `added_tokens_decoder`, the two other files do not
/// count.
class SpecialTokens {
 public:
  /// Any of the files may be absent. Throws Error(Corrupt).
  static SpecialTokens read(const std::filesystem::path& directory);

  /// Variables of chat templates: "bos_token" and its like, and the names that `extra_special_tokens` gives, as texts.
  Json variables() const;

  /// The tokens to add to those of a tokenizer.json, in their order. The ids that the files give only say which comes
  /// first: the tokenizers library numbers anew what a tokenizer.json lacks.
  std::vector<AddedToken> tokens_beside(const Json& tokenizer_json) const;

 private:
  void read_named(const OrderedJson& settings);
  void read_extra(const OrderedJson& settings);
  void read_decoder(const OrderedJson& decoder, const std::string& what);
  void read_added(const OrderedJson& added);
  bool is_special(const std::string& content) const;

  std::vector<std::pair<std::string, AddedToken>> named_;  // bos_token, eos_token ..., then the model's own
  std::vector<AddedToken> extra_;                          // special ones without a name
  std::map<int64_t, AddedToken> by_id_;                    // of added_tokens_decoder, or of added_tokens.json
  bool has_decoder_ = false;
};

}  // namespace cleave::text
