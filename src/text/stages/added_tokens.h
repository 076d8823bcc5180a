#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json_field.h"
#include "text/models/token_model.h"
#include "text/models/token_trie.h"
#include "text/stages/normalizer.h"
#include "text/stages/pieces.h"

namespace cleave::text {

/// A token that is found in the text as it is written, before the model sees it.
struct AddedToken {
  std::string content;
  bool single_word = false;  // not within a word
  bool lstrip = false;       // takes in the white space before it
  bool rstrip = false;       // takes in the white space behind it
  bool normalized = true;    // is looked for in the normalised text, by its own normal form
  bool special = false;      // left out of a decoded text on request
};

/// The added tokens of a tokenizer, found as Hugging Face's tokenizers library finds them: leftmost first, the longest
/// of those that begin there. Filled once, then read by any thread.
class AddedTokens {
 public:
  /// A stretch of text: an added token, or text between them where `id` is empty.
  struct Section {
    std::optional<int32_t> id;
    Range range;
  };

  /// `normalizer` may be null; it is used within this call only.
  void add(AddedToken token, int32_t id, const Normalizer* normalizer);

  /// Appends the sections of `text`. `normalized` chooses which tokens are looked for: in the text before or behind the
  /// normalizer.
  void split(std::string_view text, bool normalized, std::vector<Section>& sections) const;

  const AddedToken* find(int32_t id) const;
  std::optional<int32_t> id(std::string_view content) const;
  /// Largest id + 1; 0 where there is none.
  int32_t id_end() const { return id_end_; }
  size_t size() const { return tokens_.size(); }

 private:
  std::unordered_map<int32_t, AddedToken> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  TokenTrie plain_;
  TokenTrie normalized_;
  int32_t id_end_ = 0;
};

/// Reads the `added_tokens` of a tokenizer.json. As in the library, a token that the model has keeps the model's id,
/// the others get the ids behind it in their order. Throws Error(Corrupt).
AddedTokens read_added_tokens(const JsonField& field, const TokenModel& model, const Normalizer* normalizer);

}  // namespace cleave::text
