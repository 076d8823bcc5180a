#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <vector>

#include "engine/kv_blocks.h"
#include "engine/sequence.h"
#include "engine/step_model.h"

namespace cleave::engine {

/// The queue of all sequences and the rule by which steps are formed of them (continuous batching): single tokens of
/// sequences that answer come first, the rest of the step is filled with prompt chunks, first come, first served.
///
/// Sequences with a smaller priority number come first everywhere.
///
/// A sequence is admitted when the key-value blocks for all its tokens are free, and a slot for its recurrent states
/// where the model keeps some; it takes further blocks as it grows. Where none is left, kept sequences that answer
/// nothing lose theirs first, then the sequence that was admitted last of those with the largest priority number: it
/// waits and is computed again. So the oldest sequence of the smallest number always gets on, and nothing can block for
/// good.
///
/// Borrows sequences; each is added once and removed before it goes. Not thread-safe.
class Scheduler {
 public:
  /// A part of a step: the next `count` tokens of a sequence. What it says holds until they are marked as computed.
  struct Chunk {
    Sequence* sequence;
    int64_t count;

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

  explicit Scheduler(const StepLimits& limits);

  /// Puts a new or parked sequence with pending tokens at the end of the queue. REQUIRES: it never gets longer than
  /// capacity().
  void add(Sequence& sequence);
  /// Its answer is complete: no longer scheduled, but its blocks stay until they are needed.
  void park(Sequence& sequence);
  /// Forgets the sequence and takes its blocks.
  void remove(Sequence& sequence);

  /// The chunks of the next step, each with its blocks; empty where nothing is to be done. Together they keep to the
  /// limits of a step. Valid until the next call.
  std::span<const Chunk> form();

  /// Positions that a sequence can have at most.
  int64_t capacity() const { return blocks_.capacity(); }
  int64_t num_waiting() const { return static_cast<int64_t>(waiting_.size()); }
  int64_t num_running() const { return static_cast<int64_t>(running_.size()); }
  int64_t num_free_blocks() const { return blocks_.num_free(); }

 private:
  using Queue = std::list<Sequence*>;

  void schedule(Sequence& sequence);
  void admit();
  void make_room(Sequence& sequence);
  void evict_running(Queue::iterator running);
  bool extend(Sequence& sequence);
  bool evict_idle(const Sequence& in_favour_of);
  void take_blocks(Sequence& sequence);

  StepLimits limits_;
  KvBlocks blocks_;
  std::vector<int64_t> free_slots_;
  Queue waiting_;  // by priority, then in the order of arrival; evicted ones in front of their equals
  Queue running_;  // in the order of admission
  Queue parked_;   // in the order of parking
  std::vector<Chunk> chunks_;
  std::vector<Sequence*> considered_;  // of the step being formed; a member so that its memory is used again
  int64_t budget_ = 0;                 // tokens that the step being formed can still take
  int64_t row_budget_ = 0;             // and rows of logits
};

}  // namespace cleave::engine
