#pragma once

#include <memory>
#include <string_view>

#include "comm/world.h"
#include "inference/options.h"
#include "runtime/rank_group.h"

namespace cleave::inference {

/// The ranks that models are split over: threads of this process and, with GroupOptions::mpi, those of the other
/// processes that mpirun started. Models are loaded into it one after another, and several at a time. Used by the
/// thread that has made it, which computes for the first rank.
class Group {
 public:
  /// Throws Error(Comm) where processes cannot reach one another.
  explicit Group(const GroupOptions& options);
  /// REQUIRES: no models.
  ~Group();

  int num_ranks() const { return num_ranks_; }  // of all processes
  bool leads() const { return leads_; }         // whether rank 0 is here
  int threads_per_rank() const { return threads_per_rank_; }
  int num_processes() const { return world_->num_processes(); }
  /// CPUs that this process could use before the group has bound its threads.
  int num_cpus() const { return num_cpus_; }

  /// What models are loaded into. REQUIRES: not finish() before.
  runtime::RankGroup& ranks() { return *ranks_; }
  /// Ends the group, and waits for the other processes, at the end of a run without errors. REQUIRES: no models.
  void finish();
  /// Tells the other processes, if there are any, that this one ends with an error.
  void abort(std::string_view why);

 private:
  const int num_cpus_;
  std::unique_ptr<comm::World> world_;
  std::unique_ptr<runtime::RankGroup> ranks_;  // null: finished
  int num_ranks_ = 1, threads_per_rank_ = 1;
  bool leads_ = true;
};

}  // namespace cleave::inference
