#pragma once

#include <cstdint>
#include <optional>
#include <span>
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

/// A token that is cut out of the text wherever it is written, before the model sees the text.
struct AddedToken {
  std::string content;
  bool single_word = false;  // found only if it is no part of a longer word
  bool lstrip = false;       // white space before it counts as part of it
  bool rstrip = false;       // white space behind it counts as part of it
  bool normalized = true;    // found in the normalised text, by its own normal form
  bool special = false;      // left out when a text is decoded without special tokens
};

/// The added tokens of a tokenizer. A text is searched as Hugging Face's tokenizers library does it: the leftmost token
/// counts, and of those that begin there the longest. Filled once, then read by any thread.
class AddedTokens {
 public:
  /// A section of a text: an added token, or, without an id, the text between two.
  struct Section {
    std::optional<int32_t> id;
    Range range;
  };

  /// Adds a token. `normalizer`, which may be null, gives the normal form of a `normalized` one; it is used within this
  /// call only.
  void add(AddedToken token, int32_t id, const Normalizer* normalizer);

  /// Appends the sections of `text`. `normalized` says whether the text has passed the normalizer, and so which tokens
  /// are looked for in it.
  void split(std::string_view text, bool normalized, std::vector<Section>& sections) const;

  /// The token of an id; null if no added token has it.
  const AddedToken* find(int32_t id) const;
  /// The id of a token by its content.
  std::optional<int32_t> id(std::string_view content) const;
  /// Largest id + 1; 0 if there are no tokens.
  int32_t id_end() const { return id_end_; }
  size_t size() const { return tokens_.size(); }

 private:
  std::unordered_map<int32_t, AddedToken> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  TokenTrie plain_;
  TokenTrie normalized_;
  int32_t id_end_ = 0;
};

/// The `added_tokens` of a tokenizer.json, `field` where it has any, and `more` behind them. As in the library, a token
/// that the model has keeps the model's id, and the others get, in their order, the ids behind the last; a token that
/// comes again changes how it is found. `normalizer` may be null. Throws Error(Corrupt).
AddedTokens read_added_tokens(const std::optional<JsonField>& field, std::span<const AddedToken> more,
                              const TokenModel& model, const Normalizer* normalizer);

}  // namespace cleave::text
