#pragma once

#include <memory>
#include <vector>

#include "app/flags.h"
#include "comm/mpi_world.h"
#include "runtime/ranks.h"

namespace cleave::app {

/// The ranks of this run: threads of this process and, where mpirun has started it, those of the other processes.
/// Made before a model is opened, and finished when the last of its ranks is done.
class Launch {
 public:
  /// Joins the processes that mpirun started, if it did. `ranks` of this process. Throws Error(Comm).
  Launch(const ModelFlags& flags, int ranks);
  ~Launch();

  int num_ranks() const { return num_ranks_; }  // of all processes
  bool leads() const { return leads_; }         // whether rank 0 is here
  int threads_per_rank() const { return threads_per_rank_; }

  /// The communicator of this process's first rank, before local() hands it on.
  comm::Communicator& first() { return *communicators_.front(); }
  /// What runtime::Ranks wants of this process. Once.
  runtime::Ranks::Local local();
  /// Waits for the other processes at the end of a run without errors.
  void finish();

 private:
  std::unique_ptr<comm::MpiWorld> world_;
  std::vector<std::unique_ptr<comm::Communicator>> communicators_;
  std::vector<std::vector<int>> cpus_;
  int num_ranks_ = 1, threads_per_rank_ = 1;
  bool leads_ = true;
};

}  // namespace cleave::app
