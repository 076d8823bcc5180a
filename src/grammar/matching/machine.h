#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "grammar/matching/stacks.h"
#include "grammar/program/program.h"

namespace cleave::grammar {

/// A node that awaits a byte, and the stacks of calls that led to it.
struct Config {
  uint32_t node, stack;
  bool operator==(const Config&) const = default;
};

/// The pushdown automaton of a program, made deterministic as it is used. A state is all that may be the case after
/// some text; equal ones have one number, and the step from a state by a byte is computed once. States number as many
/// as the texts seen make them, so a machine must be compacted now and then. Not thread-safe.
class Machine {
 public:
  using State = uint32_t;

  static constexpr State kDead = 0;                // no text leads on from here, and none ends here
  static constexpr uint32_t kEscape = 1u << 31;    // from here on, calls and nodes stand for "below what is known"
  static constexpr uint32_t kBottom = UINT32_MAX;  // the call under which a text is complete

  explicit Machine(std::shared_ptr<const Program> program);

  State start() const { return start_; }
  /// Throws Error(Unsupported) where the grammar is so ambiguous that a step takes too much work, or a walk makes more
  /// states than there may be.
  State step(State state, uint8_t byte) {
    const uint32_t* next = entries_[state].next;
    const uint8_t byte_class = program_->classes[byte];
    if (next != nullptr && next[byte_class] != kUnknown) return next[byte_class];
    return compute_step(state, byte);
  }
  /// Whether the text may end here.
  bool complete(State state) const { return entries_[state].key->complete; }
  /// Sorted by node. A node from kEscape on says that the matches of the call of that number have ended.
  std::span<const Config> configs(State state) const { return entries_[state].key->configs; }

  /// The state once the calls on top of the stacks have ended.
  State after_return(uint32_t stack);
  /// The state of some nodes that await bytes.
  State state_of(std::vector<Config> configs);

  /// Whether there are so many states that it is time to compact.
  bool crowded() const;
  /// Forgets all states but one; returns its new number.
  State compact(State keep);
  size_t size() const { return entries_.size(); }

  Stacks& stacks() { return stacks_; }
  const Program& program() const { return *program_; }

 private:
  static constexpr uint32_t kUnknown = UINT32_MAX;

  struct Key {
    std::vector<Config> configs;
    bool complete = false;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  struct Entry {
    const Key* key;            // of ids_
    uint32_t* next = nullptr;  // [byte classes], in tables_; made at the first step
  };

  State compute_step(State state, uint8_t byte);
  State intern(Key key);
  uint32_t* new_table();
  uint32_t copy_stack(const Stacks& from, uint32_t stack, std::unordered_map<uint32_t, uint32_t>& copies);
  void reset();

  // What closes a set of nodes under calls, returns and empty edges.
  void begin();
  void reach(uint32_t node, uint32_t stack);
  bool is_last(const Call& call, uint32_t count) const;
  static uint32_t counted(const Call& call, uint32_t count);
  void enter(uint32_t call, uint32_t stack);
  void leave(uint32_t stack);
  void expand(uint32_t node);
  Key close();

  std::shared_ptr<const Program> program_;
  Stacks stacks_;
  std::unordered_map<Key, State, KeyHash> ids_;
  std::vector<Entry> entries_;  // by state
  std::vector<std::unique_ptr<uint32_t[]>> tables_;
  size_t table_left_ = 0;                         // tables that the last block still holds
  std::unordered_map<uint32_t, State> returned_;  // after_return by stack
  State start_ = kDead;

  struct Reached {
    uint32_t epoch = 0, stack = 0;
    bool pending = false;
  };
  std::vector<Reached> reached_;   // [nodes]
  std::vector<uint32_t> touched_;  // nodes reached in this epoch
  std::vector<uint32_t> pending_;  // nodes whose stacks have grown
  std::vector<uint32_t> escaped_;  // escapes reached
  uint32_t epoch_ = 0;
  size_t work_ = 0;
  bool completed_ = false;
};

}  // namespace cleave::grammar
