#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

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
  /// `vocab_size`: of the model's logits.
  Constraints(const text::Tokenizer& tokenizer, std::span<const int32_t> end_tokens, int64_t vocab_size);

  /// Compiles where that is needed: up to seconds. Throws api::Refusal that names the field, for what is malformed, not
  /// supported or too large.
  std::shared_ptr<grammar::TokenGrammar> grammar_of(const api::Format& format);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<grammar::TokenGrammar>>;

  std::shared_ptr<grammar::TokenGrammar> find(const std::string& key);

  const std::shared_ptr<const grammar::Vocabulary> vocabulary_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::list<Entry> entries_;  // the most recently used first
  std::map<std::string, std::list<Entry>::iterator> by_key_;
};

/// The constraint of one answer.
std::shared_ptr<engine::TokenConstraint> constraint_of(std::shared_ptr<grammar::TokenGrammar> grammar);

}  // namespace cleave::server
