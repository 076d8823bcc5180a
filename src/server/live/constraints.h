#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/token_constraint.h"
#include "grammar/grammar.h"
#include "grammar/matching/matcher.h"
#include "grammar/matching/vocabulary.h"
#include "server/api/generation.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::server {

/// What answers of a model must be, compiled for its vocabulary. Grammars that several requests ask for are compiled
/// once, and learn from one another; the least recently used ones are dropped. Thread-safe.
class Constraints {
 public:
  using Compiled = std::shared_ptr<const grammar::Program>;

  /// `vocab_size`: of the model's logits.
  Constraints(const text::Tokenizer& tokenizer, std::span<const int32_t> end_tokens, int64_t vocab_size);

  /// Compiles where that is needed: up to seconds. Throws api::Refusal that names the field, for what is malformed, not
  /// supported or too large.
  std::shared_ptr<grammar::TokenGrammar> grammar_of(const api::Format& format);
  /// The grammar that `compile` makes, or made before for the same key; null where it gives null. What `compile` throws
  /// passes through.
  std::shared_ptr<grammar::TokenGrammar> grammar_of(std::string key, const std::function<Compiled()>& compile);

  /// A text in which special tokens stand as the vocabulary of grammars has them: with a byte before them that no text
  /// has, so that the token is meant and not its text.
  std::string with_special_tokens(std::string_view text) const;
  /// Bytes of the longest token of the vocabulary.
  size_t longest_token() const { return vocabulary_->longest(); }

 private:
  using Entry = std::pair<std::string, std::shared_ptr<grammar::TokenGrammar>>;

  std::optional<std::shared_ptr<grammar::TokenGrammar>> find(const std::string& key);

  std::vector<std::string> special_texts_;  // the longest first
  const std::shared_ptr<const grammar::Vocabulary> vocabulary_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::list<Entry> entries_;  // the most recently used first
  std::map<std::string, std::list<Entry>::iterator> by_key_;
};

/// A form as a part of a grammar. Throws api::Refusal for a value of another type than the form wants.
grammar::Piece piece_of(const api::Format& format);

/// Calls `compile`; throws api::Refusal that names the field where the grammar cannot be made.
Constraints::Compiled compiled_for(const std::string& field, const std::function<Constraints::Compiled()>& compile);

/// The constraint of one answer.
std::shared_ptr<engine::TokenConstraint> constraint_of(std::shared_ptr<grammar::TokenGrammar> grammar);

}  // namespace cleave::server
