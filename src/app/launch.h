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
  enum class Span { Everywhere, ThisProcess };

  /// Joins the processes that mpirun started, if it did and `span` says so: once in a process's life. `ranks` are those
  /// of this process. Throws Error(Comm).
  Launch(const ModelFlags& flags, int ranks, Span span = Span::Everywhere);
  ~Launch();

  /// Whether mpirun has started this process.
  static bool by_mpi();

  int num_ranks() const { return num_ranks_; }  // of all processes
  bool leads() const { return leads_; }         // whether rank 0 is here
  int threads_per_rank() const { return threads_per_rank_; }
  int num_processes() const { return world_ ? world_->num_processes() : 1; }
  /// Of a process, or num_ranks() behind the last one.
  int first_rank(int process) const { return world_ ? world_->first_rank(process) : process * num_ranks_; }

  /// The communicator of this process's first rank, before local() hands it on.
  comm::Communicator& first() { return *communicators_.front(); }
  /// What runtime::Ranks wants of this process. Once.
  runtime::LocalRanks local();
  /// Waits for the other processes at the end of a run without errors.
  void finish();
  /// Tells the other processes, if there are any, that this one ends with an error; then it ends here, too.
  void abort(std::string_view why);

 private:
  std::unique_ptr<comm::MpiWorld> world_;
  std::vector<std::unique_ptr<comm::Communicator>> communicators_;
  std::vector<std::vector<int>> cpus_;
  int num_ranks_ = 1, threads_per_rank_ = 1;
  bool leads_ = true;
};

}  // namespace cleave::app
