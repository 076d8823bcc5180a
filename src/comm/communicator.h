#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

/// Collectives between the ranks of one model (docs/communication.md). Ranks are numbers; nothing here knows tensors.
namespace cleave::comm {

/// Transfers between two ranks that call send and receive as a pair; other ranks take no part.
class PointToPoint {
 public:
  PointToPoint() = default;
  PointToPoint(const PointToPoint&) = delete;
  PointToPoint& operator=(const PointToPoint&) = delete;
  virtual ~PointToPoint() = default;

  /// Returns when `data` may be changed again, which can be as late as the receiver has it all.
  virtual void send(const void* data, int64_t bytes, int to) = 0;
  /// REQUIRES: the sender sends exactly `bytes`.
  virtual void receive(void* data, int64_t bytes, int from) = 0;
};

/// One rank's end of a group of ranks that compute one model. Used by one thread at a time, as a rule the rank's main
/// thread. All ranks of the group call the same collectives in the same order with the same sizes, dtypes and roots.
///
/// A sum is the same bits on every rank and in every run: it is taken in a fixed order that depends on the group alone.
/// Once a size has been seen, calls of up to that size allocate nothing.
///
/// Failure. No call blocks for ever. When a rank dies, stalls (neither computes, nor ticks, nor waits in a call for
/// longer than the group's time limit) or gives up with abort, every other rank's current or next call throws
/// Error(Comm) that names it. After that the group is of no use: every call throws the same error. A rank that waits in
/// broadcast() waits for its root without limit, as long as the root's process lives: there ranks idle between steps.
class Communicator : public PointToPoint {
 public:
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Sums `count` elements over all ranks, in place. F32 only; throws Error(Unsupported) for other types.
  virtual void all_reduce(void* data, int64_t count, DType dtype) = 0;

  /// Sums `send`, the blocks of all ranks one after another (counts[r] elements for rank r), and gives each rank its
  /// block. `receive` may be this rank's block of `send`, and overlaps it in no other way. F32 only.
  virtual void reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) = 0;

  /// Puts the blocks of all ranks one after another into every rank's `receive`; rank r's has bytes[r]. `send` may be
  /// this rank's block of `receive`, and overlaps it in no other way.
  virtual void all_gather(const void* send, void* receive, std::span<const int64_t> bytes) = 0;

  /// As all_gather, but only the root receives; on other ranks `receive` is not touched and may be null.
  virtual void gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) = 0;

  /// Copies the root's data to every other rank.
  virtual void broadcast(void* data, int64_t bytes, int root) = 0;

  /// Returns when every rank has called it.
  virtual void barrier() = 0;

  /// Tells every other rank that this one gives up; their error names this rank and `why`. Throws nothing.
  virtual void abort(std::string_view why) = 0;

  /// A sign of life: one relaxed atomic increment. Called between instructions and while loading. Processor time of the
  /// rank's thread and its waits for a processor or a disk count too, from the thread's first call on.
  virtual void tick() = 0;

  /// Lets processor time and disk waits of other threads of this process count too, by the system's numbers for them
  /// (gettid): those that the rank computes with, since its own thread may sleep until they have finished. Takes the
  /// place of an earlier call. The threads may end before the communicator.
  virtual void watch(std::span<const pid_t> threads) = 0;

  /// Divides the group. Ranks that call with the same color become a group of their own, in which they are numbered in
  /// the order that they have here; a negative color takes no part and gets null. Every rank of this group calls it,
  /// and no rank divides two groups at the same time.
  ///
  /// The parts may outlive this group and be divided again. Their failures are shared by all: a rank that fails in one
  /// part fails every group that came from the same one, and errors call it by the name that it had there. Signs of
  /// life count in all groups of a rank, which one thread at a time uses. Ranks that wait for one another crosswise, in
  /// two groups, are not found out.
  virtual std::unique_ptr<Communicator> split(int color) = 0;
};

/// A group of one rank.
std::unique_ptr<Communicator> self_communicator();

struct ThreadGroupOptions {
  /// How many threads each rank computes with. Where all of them have a CPU, waiting ranks spin a little before they
  /// sleep; where they do not, ranks give way at once.
  int threads_per_rank = 1;
  /// Ranks of other processes that use the same cores.
  int num_neighbours = 0;
  /// How long a rank that others wait for may show no sign of life.
  std::chrono::milliseconds stall_timeout{3000};
  /// Messages up to this size are exchanged by copies (one-shot), larger ones are read where they lie. 0 for the
  /// default, which was measured (docs/communication.md).
  int64_t one_shot_bytes = 0;
};

/// A group whose ranks are threads of this process; element r is for rank r. Each may be handed to its thread at any
/// time. A rank that destroys its communicator while others still wait for it counts as dead.
std::vector<std::unique_ptr<Communicator>> thread_communicators(int ranks, const ThreadGroupOptions& options = {});

/// Compares a hash over all ranks. Throws on every rank, naming those that differ from rank 0, where there are any.
/// `what` is plural: "plans", "weights".
void require_equal(Communicator& communicator, uint64_t hash, std::string_view what);

/// What a collective costs: seconds(bytes) = latency + bytes / bytes_per_second.
struct LinearCost {
  double latency = 0;           // seconds
  double bytes_per_second = 0;  // of the payload: what one rank hands to all_reduce, what it receives from all_gather
};
struct CollectiveTimes {
  LinearCost all_reduce, all_gather;
};

/// Measures the group in a few milliseconds. Gives the same numbers on every rank (rank 0's). With one rank calls cost
/// nothing: latency 0 and infinite bytes per second.
CollectiveTimes measure(Communicator& communicator);

}  // namespace cleave::comm
