#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "comm/world.h"
#include "inference/options.h"
#include "runtime/ranks.h"

namespace cleave::inference {

/// The ranks that a model is split over: threads of this process and, with GroupOptions::mpi, those of the other
/// processes that mpirun started. Made before a model is loaded, and finished when the last of its ranks is done. Used
/// by one thread.
class Group {
 public:
  /// Throws Error(Comm) where processes cannot reach one another.
  explicit Group(const GroupOptions& options);
  ~Group();

  int num_ranks() const { return num_ranks_; }  // of all processes
  bool leads() const { return leads_; }         // whether rank 0 is here
  int threads_per_rank() const { return threads_per_rank_; }
  int num_processes() const { return world_->num_processes(); }
  /// Number of the first rank of a process, or num_ranks() behind the last process.
  int first_rank(int process) const { return world_->first_rank(process); }

  /// The communicator of this process's first rank, before local() hands it on.
  comm::Communicator& first() { return *communicators_.front(); }
  /// What runtime::Ranks wants of this process. Once.
  runtime::LocalRanks local();
  /// Waits for the other processes at the end of a run without errors.
  void finish();
  /// Tells the other processes, if there are any, that this one ends with an error.
  void abort(std::string_view why);

 private:
  std::unique_ptr<comm::World> world_;
  std::vector<std::unique_ptr<comm::Communicator>> communicators_;
  std::vector<std::vector<int>> cpus_;  // of each thread of each rank; empty: wherever the system likes
  int num_ranks_ = 1, threads_per_rank_ = 1;
  bool leads_ = true;
};

}  // namespace cleave::inference
