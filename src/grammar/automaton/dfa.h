#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/program/builder.h"
#include "grammar/program/encode.h"
#include "grammar/program/limits.h"
#include "grammar/regex/expression.h"

namespace cleave::grammar {

/// A deterministic finite automaton over bytes, for sets of texts that are to be combined: a pattern and a length, keys
/// that are not properties. Immutable. All functions that make one throw what `budget` throws.
class Dfa {
 public:
  /// No text at all.
  Dfa();
  /// REQUIRES: no anchors, no rules.
  Dfa(const Expression& expression, Encoding encoding, Budget& budget);
  /// The texts between a rule's start and end. REQUIRES: the builder has no calls.
  Dfa(ProgramBuilder& builder, uint32_t rule);
  static Dfa of_texts(const std::vector<std::string>& texts, Budget& budget);

  enum class Combination : uint8_t { Both, Either, FirstOnly };
  /// The texts of both, of either, or of this one alone.
  Dfa combined(const Dfa& other, Combination combination, Budget& budget) const;

  bool accepts(std::string_view text) const;
  bool empty() const;
  /// All texts, if there are no more than `limit`.
  std::optional<std::vector<std::string>> texts(size_t limit) const;

  /// What is emitted as calls: where any of `texts` may follow, `character` follows any number of times.
  struct Tail {
    const Dfa* texts;
    uint32_t character;  // a rule
  };
  /// Edges for its texts between two nodes.
  void emit(ProgramBuilder& builder, uint32_t from, uint32_t to, const Tail* tail = nullptr) const;

 private:
  class Product;
  static constexpr uint32_t kDead = 0;

  uint32_t next(uint32_t state, uint8_t byte) const { return next_[state * num_classes_ + classes_[byte]]; }
  uint32_t add_state(bool accepts);
  std::vector<bool> live() const;
  bool is_tail(uint32_t state, const Dfa& texts, Budget& budget) const;
  void emit_edges(ProgramBuilder& builder, uint32_t state, const std::vector<bool>& live,
                  const std::vector<uint32_t>& nodes) const;

  std::array<uint8_t, 256> classes_{};  // by byte
  uint32_t num_classes_ = 1;
  uint32_t start_ = kDead;
  std::vector<uint32_t> next_;  // [states, classes]
  std::vector<bool> accepts_;   // by state
};

}  // namespace cleave::grammar
