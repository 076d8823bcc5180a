#pragma once

#include <memory>
#include <vector>

#include "comm/communicator.h"

namespace cleave::comm {

/// Connects one rank of this process with ranks of others. Ranks are called by the numbers that they have among all
/// ranks of the run. Used by one thread at a time, and by everything that it has made, which keeps it alive.
///
/// Groups have numbers, so that a message of one is never taken for a message of another: whenever two ranks are in
/// two groups, these have different numbers.
class Links : public std::enable_shared_from_this<Links> {
 public:
  Links() = default;
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;
  virtual ~Links() = default;

  /// Collectives between `ranks`, which are ascending, each of a process of its own, this one among them.
  virtual std::unique_ptr<Communicator> collectives(std::vector<int> ranks, int group) = 0;
  /// Transfers between this rank and those of `ranks` that are in other processes, by their places in `ranks`.
  virtual std::unique_ptr<PointToPoint> transfers(std::vector<int> ranks, int group) = 0;

  /// A number that no group of this rank has; the largest one that any rank of a group proposes is free for its parts.
  int free_number() const { return free_number_; }
  /// The number has been taken, or a larger one.
  void take_number(int number) { free_number_ = number + 1; }

 private:
  int free_number_ = 1;  // 0 is the group of all ranks
};

}  // namespace cleave::comm
