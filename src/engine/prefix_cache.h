#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/kv_blocks.h"
#include "engine/sequence.h"
#include "engine/step_model.h"

namespace cleave::engine {

/// The memory of all sequences: key-value blocks and, where the model keeps recurrent states, slots for those of
/// sequences under way and for snapshots. Blocks and snapshots have names (prefix_key.h), by which a new sequence finds
/// what others have computed of its beginning.
///
/// Keys and values are of use from any block on; states only as they were at one place. So where there are states, a
/// snapshot is taken at the end of a prompt's last full block, where two prompts part, and at the last full block of an
/// answer under way, and a hit goes as far as blocks and a snapshot both do.
///
/// Not thread-safe.
class PrefixCache {
 public:
  /// Borrows `limits`.
  PrefixCache(const StepLimits& steps, const SequenceLimits& limits);

  KvBlocks& blocks() { return blocks_; }
  const KvBlocks& blocks() const { return blocks_; }
  bool keeps_states() const { return num_slots_ > 0; }

  /// Blocks of which a hit can consist: full ones with a token behind them.
  int64_t most_blocks(const Sequence& sequence) const;

  /// What is there of a sequence's beginning.
  struct Hit {
    int64_t blocks = 0;     // that can be used: at least one token is left to compute
    int64_t kv_blocks = 0;  // whose keys and values are there; more than `blocks` where a snapshot is missing
    int64_t held = 0;       // of `blocks`, those that other sequences hold
  };
  Hit look_up(const Sequence& sequence) const;
  /// About the same in constant time, from what was known at the last call.
  int64_t estimate(Sequence& sequence) const;

  /// Whether the sequence has a slot for its states, or there is one, or none is needed.
  bool has_slot(const Sequence& sequence) const;
  /// Room for all tokens of the sequence, and for its states; false, and nothing changed, where either is lacking. A
  /// sequence that is computed anew lets go of blocks that must not be written before.
  bool extend(Sequence& sequence);
  /// Gives a sequence without blocks what was found, which then counts as computed. REQUIRES: nothing has changed
  /// since.
  void take(Sequence& sequence, const Hit& hit);
  /// Takes blocks and slot of a sequence; what was computed is lost to it.
  void release(Sequence& sequence);

  /// Where the snapshot lies with which the sequence goes on; -1: there is none.
  int64_t restored_slot(const Sequence& sequence) const {
    return sequence.restored.empty() ? -1 : num_slots_ + sequence.restored[0];
  }
  /// The next position after `computed` at which a chunk is to end, so that a snapshot can be taken; nothing where
  /// there is none, or no room for it.
  std::optional<int64_t> next_border(const Sequence& sequence) const;
  /// A slot for the snapshot of a chunk that ends at `position`; -1 where none is wanted there.
  int64_t begin_snapshot(Sequence& sequence, int64_t position);
  /// Two sequences have this many blocks in common.
  void note_junction(Sequence& sequence, int64_t blocks) const;

  /// After a step, which has begun at position `before` of the sequence and which `computed` tells of: names the blocks
  /// that have become full, and the snapshot.
  void note_computed(Sequence& sequence, int64_t before);

  /// Throws Error(Internal) unless all memory is free or held by one of the sequences.
  void check(std::span<const Sequence* const> sequences) const;

 private:
  const SequenceLimits& limits_;
  KvBlocks blocks_;
  KvBlocks snapshots_;  // slots num_slots_ and following, by number
  int64_t num_slots_;   // of sequences under way
  std::vector<int64_t> free_slots_;
};

}  // namespace cleave::engine
