#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/prefix_cache.h"
#include "engine/sequence.h"
#include "engine/step_cost.h"
#include "engine/step_model.h"

namespace cleave::engine {

/// The queue of all sequences and the rule by which steps are formed of them (continuous batching). Single tokens of
/// sequences that answer come first. The rest of the step is filled with chunks of prompts, several at once: those with
/// the smallest priority number first, of these the shortest, counting what the cache does not have and what had been
/// computed of prompts before they came. So a short question does not wait for a long text, and no text waits for more
/// than its own length of others. While some sequence answers, chunks are only so large that the step keeps to a time.
///
/// A sequence is admitted when there is memory for its tokens and for as long an answer as others were lately, beside
/// that of the sequences under way, and waits while one of these computes tokens that it begins with, too: it shares
/// them when they are there. It takes further blocks as it grows. Where none is left, kept sequences that answer
/// nothing lose theirs first, then the sequence that was admitted last of those with the largest priority number: it
/// waits and is computed again, as far as the cache has lost it. So the oldest sequence of the smallest number always
/// gets on, and nothing can block for good.
///
/// Borrows sequences; each is added once and removed before it goes. Not thread-safe.
class Scheduler {
 public:
  /// A part of a step: the next `count` tokens of a sequence, all of its prompt or all of its answers. What it says
  /// holds until they are marked as computed.
  struct Chunk {
    Sequence* sequence;
    int64_t count;
    int64_t saved_slot = -1;  // where a snapshot of the states behind it goes; -1: none

    /// Whether its tokens are of the prompt.
    bool is_prompt() const { return sequence->computed < sequence->prompt_length; }
    /// Whether no token is left to compute behind it.
    bool completes() const { return sequence->pending() == count; }
    /// Whether its last row of logits chooses a token.
    bool samples() const { return completes() && sequence->length() < sequence->length_limit; }
    /// Its positions [first_scored(), end_scored()), whose rows of logits tell the log-probability of the next token of
    /// the prompt.
    int64_t first_scored() const;
    int64_t end_scored() const;
    /// Rows of logits that it wants.
    int64_t num_rows() const { return end_scored() - first_scored() + (samples() ? 1 : 0); }
  };

  /// Numbers that only grow.
  struct Totals {
    int64_t prompt_tokens = 0;    // of the prompts that were admitted
    int64_t cached_tokens = 0;    // of those, the ones that were there already
    int64_t computed_tokens = 0;  // of prompts, in all steps
    int64_t preemptions = 0;
  };

  /// Steps with answers in them take `max_gap` seconds, as far as `cost` can tell. Borrows limits and cost.
  Scheduler(const StepLimits& steps, const SequenceLimits& limits, const StepCost& cost, double max_gap);

  /// Puts a new or parked sequence with pending tokens into the queue. REQUIRES: it never gets longer than
  /// capacity().
  void add(Sequence& sequence);
  /// Its answer is complete: no longer scheduled, but its blocks stay until they are needed.
  void park(Sequence& sequence);
  /// Forgets the sequence and takes its blocks.
  void remove(Sequence& sequence);

  /// The chunks of the next step, each with its blocks, those of answers first; empty where nothing is to be done.
  /// Together they keep to the limits of a step. Valid until the next call.
  std::span<const Chunk> form();
  /// Where the states lie with which the sequence's chunk begins; -1: in its own slot.
  int64_t restored_slot(const Sequence& sequence) const { return cache_.restored_slot(sequence); }
  /// What those chunks are.
  const StepWork& work() const { return work_; }
  /// Marks them as computed, so that others can share what they hold.
  void finish();
  /// An answer ended with that many tokens.
  void note_answer(int64_t tokens);

  /// Positions that a sequence can have at most.
  int64_t capacity() const { return cache_.blocks().capacity(); }
  int64_t num_waiting() const { return std::ssize(waiting_); }
  int64_t num_running() const { return std::ssize(running_); }
  /// Tokens that are left to compute of prompts under way and of sequences that wait, without what was cached of these
  /// when it was last looked up.
  int64_t waiting_tokens() const;
  const KvBlocks& blocks() const { return cache_.blocks(); }
  const Totals& totals() const { return totals_; }
  /// Throws Error(Internal) unless all memory is free or held by a sequence.
  void check() const;

 private:
  using Queue = std::vector<Sequence*>;
  enum class Admission : uint8_t { Admitted, HeldBack, NoRoom };

  void make_room(Sequence& sequence);
  bool evict_idle(const Sequence& in_favour_of);
  void preempt(Queue::iterator running);
  void answer();
  void take_prompts();
  void order_candidates();
  Admission admit(Sequence& sequence);
  bool is_held_back(Sequence& sequence) const;
  void find_junctions(Sequence& sequence);
  bool has_room(const Sequence& sequence, const PrefixCache::Hit& hit) const;
  int64_t expected_blocks(const Sequence& sequence) const;
  int64_t reserved_blocks() const;
  void schedule(Sequence& sequence, int64_t count);

  const StepLimits steps_;
  const SequenceLimits& limits_;
  const StepCost& cost_;
  const double max_gap_;
  PrefixCache cache_;
  Queue waiting_;
  Queue running_;  // in the order of admission
  Queue parked_;   // in the order of parking
  Totals totals_;
  double expected_answer_;  // tokens
  double caution_ = 1;      // with which it is multiplied

  // Of the step being formed; members so that their memory is used again.
  std::vector<Chunk> chunks_;
  Queue considered_, candidates_;
  StepWork work_;
  int64_t budget_ = 0;      // tokens that it can still take
  int64_t row_budget_ = 0;  // and rows of logits
};

}  // namespace cleave::engine
