#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "comm/communicator.h"
#include "comm/failure.h"
#include "comm/patience.h"
#include "comm/pulse.h"
#include "comm/signal.h"

namespace cleave::comm {

/// What a rank shows the others in one phase of a collective.
struct Published {
  const void* data = nullptr;
  const char* collective = "";  // the collective's name; one literal each, so that pointers compare
  int64_t bytes = 0;            // its size, the same on every rank
};

/// One rank's entry into the shared memory of a group.
///
/// Phases. Collectives are made of phases, counted alike on every rank. In a phase a rank publishes an entry, raises
/// `posted` to the phase's number, and reads what others have published; it finishes reading before its next phase.
/// Entries and copies have two places each, used in turn: a rank may write those of phase n once every rank has posted
/// n - 1, because then nobody reads those of n - 2 any more.
struct alignas(64) RankSlot {
  Signal posted;
  Published published[2];
  alignas(64) std::atomic<bool> reads_others{false};  // reads memory that is another rank's own
  std::atomic<bool> left{false};                      // its communicator was destroyed
};

/// From one rank to another; written by the sender, but for `taken`. Both count messages.
struct Mailbox {
  Signal sent, taken;
  const void* data = nullptr;
  int64_t bytes = 0;
};

/// The memory that the ranks of a thread group share, and how they wait for one another.
class ThreadGroup {
 public:
  /// Members and failure may be shared with other groups.
  ThreadGroup(std::vector<Member> members, const ThreadGroupOptions& options, std::shared_ptr<Failure> failure);

  /// A group of some of these ranks, which shares its failure with this one.
  std::shared_ptr<ThreadGroup> part(std::span<const int> ranks) const;

  int size() const { return static_cast<int>(slots_.size()); }
  RankSlot& slot(int rank) { return slots_[static_cast<size_t>(rank)]; }
  Mailbox& mailbox(int from, int to) {
    return mailboxes_[static_cast<size_t>(from) * slots_.size() + static_cast<size_t>(to)];
  }
  const std::string& name(int rank) const { return members_[static_cast<size_t>(rank)].name; }
  Pulse& pulse(int rank) { return *members_[static_cast<size_t>(rank)].pulse; }
  Failure& failure() { return *failure_; }
  int64_t one_shot_bytes() const { return one_shot_bytes_; }
  /// Shared memory of one_shot_bytes() for what `rank` publishes in `phase`.
  std::byte* copy_space(int rank, uint32_t phase);

  /// Waits until `signal`, which `peer` raises, has reached the target. Throws Error(Comm) where the group has failed,
  /// the peer is dead or, with bounded patience, stalled.
  void wait(const Signal& signal, uint32_t target, int rank, int peer, const char* collective, Patience patience) {
    if (!signal.reached(target)) wait_longer(signal, target, rank, peer, collective, patience);
  }

  /// Records the failure and throws it. First lets every rank finish reading memory that belongs to others: with the
  /// exception the caller's memory may go away.
  [[noreturn]] void raise(const std::string& text);
  void raise_if_failed() {
    if (failure_->is_set()) raise({});
  }

 private:
  void wait_longer(const Signal& signal, uint32_t target, int rank, int peer, const char* collective,
                   Patience patience);
  bool spin(const Signal& signal, uint32_t target) const;
  // Whole cache lines, so that no two ranks write to the same one.
  int64_t copy_stride() const { return (one_shot_bytes_ + 63) / 64 * 64; }

  std::vector<Member> members_;
  ThreadGroupOptions options_;
  std::shared_ptr<Failure> failure_;
  int64_t one_shot_bytes_;
  bool cores_suffice_;
  std::vector<RankSlot> slots_;
  std::vector<Mailbox> mailboxes_;  // [from][to]
  Buffer copies_;                   // [rank][2][copy_stride()]
};

/// The ends of a group, one per rank.
std::vector<std::unique_ptr<Communicator>> thread_communicators(std::vector<Member> members,
                                                                const ThreadGroupOptions& options,
                                                                std::shared_ptr<Failure> failure);

}  // namespace cleave::comm
