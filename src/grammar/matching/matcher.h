#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/matching/local_mask.h"
#include "grammar/matching/machine.h"
#include "grammar/matching/used_keys.h"
#include "grammar/matching/vocabulary.h"
#include "grammar/matching/walk.h"
#include "grammar/program/program.h"

namespace cleave::grammar {

/// A grammar for the tokens of one vocabulary, with what answers have learned of its masks. Answers share it.
/// Thread-safe.
class TokenGrammar {
 public:
  TokenGrammar(std::shared_ptr<const Program> program, std::shared_ptr<const Vocabulary> vocabulary);

  const std::shared_ptr<const Program>& program() const { return program_; }
  const Vocabulary& vocabulary() const { return *vocabulary_; }
  LocalMasks& masks() { return masks_; }

 private:
  std::shared_ptr<const Program> program_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  LocalMasks masks_;
};

/// One answer that follows a grammar: says which tokens may come next, and is told which one came. However a text is
/// cut into tokens, it is allowed or not alike. Not thread-safe.
///
/// mask(), accept() and forced() throw Error(Unsupported) where the grammar takes too much work at this place of the
/// text; the answer can then not go on.
class Matcher {
 public:
  explicit Matcher(std::shared_ptr<TokenGrammar> grammar);
  Matcher(Matcher&&) = delete;

  /// Clears the bits of tokens that may not come next: one bit per token, 32 to a word, the lowest first; ids beyond
  /// the vocabulary may not come. Throws Error(Unsupported) where no token may, because the vocabulary has none for the
  /// bytes that the grammar wants. Takes microseconds once a like place has been seen.
  void mask(std::span<uint32_t> allowed);
  /// Takes the token that came next. False, and nothing is changed, where it was not allowed.
  bool accept(int32_t token);
  /// The same of bytes, for text that is there before the first token.
  bool accept_bytes(std::string_view bytes);
  /// Whether the text may end here.
  bool complete() const { return machine_.complete(state_); }
  /// Whether an end token has been accepted. From then on only end tokens are allowed.
  bool ended() const { return ended_; }
  /// The bytes that must come next in any case; at most `limit`.
  std::string forced(size_t limit = 256);

 private:
  struct Remembered {
    Machine::State state;
    uint64_t used;
    std::vector<uint32_t> mask;
  };

  bool allows(std::string_view bytes, Machine::State& state, UsedKeys::Trial& keys);
  void compact_if_crowded();
  bool begins_json(Machine::State state, uint8_t byte) const;
  const std::vector<uint32_t>& mask_of_state();
  std::vector<uint32_t> compute_mask();
  void clear_repeated_keys(std::vector<uint32_t>& mask);

  std::shared_ptr<TokenGrammar> grammar_;
  Machine machine_;
  Walk walk_;
  Machine::State state_;
  UsedKeys keys_;
  bool ended_ = false;
  std::vector<Remembered> remembered_;  // masks of states, without what repeated keys forbid
  uint64_t uses_ = 0;
};

}  // namespace cleave::grammar
