#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "comm/communicator.h"

namespace cleave::comm {

/// Which of the ranks that share CPUs are this process's: first_rank and those that follow, of num_ranks.
struct CpuShare {
  int first_rank = 0;
  int num_ranks = 0;
};

/// The processes of a run and their ranks, from the point of view of one process. Ranks of one process are threads of
/// it, and every process may have its own number. Ranks of all processes are numbered: those of process 0 first, then
/// those of process 1, and so on. Created, finished and destroyed by the process's main thread.
class World {
 public:
  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  /// Without finish() before, the other processes are told that this one gives up.
  virtual ~World() = default;

  virtual int process() const = 0;
  virtual int num_processes() const = 0;
  /// The first rank of a process; the number of all ranks for num_processes().
  virtual int first_rank(int process) const = 0;

  /// Among the ranks of all processes of this machine that may use the same CPUs as this one: for place_ranks in
  /// base/topology.h, which otherwise would give every process the same.
  virtual CpuShare cpu_share() const = 0;

  /// How many threads each rank of this process is to compute with: as the options say.
  virtual int threads_per_rank() const = 0;

  /// The ends of this process's ranks, in order, in the group of all ranks. REQUIRES: called once; the communicators
  /// are destroyed before the world.
  virtual std::vector<std::unique_ptr<Communicator>> communicators() = 0;

  /// Tells every rank that this process gives up, and why; as Communicator::abort(). At any time, by any thread.
  virtual void abort(std::string_view why) = 0;

  /// Ends the run in good order: waits until every process has called it. Throws Error(Comm) as a collective does. Call
  /// it after the last collective, when this process has not failed.
  virtual void finish() = 0;
};

/// For the ranks' threads in ThreadGroupOptions: as many as the CPUs allow that they share with other ranks.
inline constexpr int kShareOfCpus = 0;

/// What the options ask for where `num_ranks` ranks share the CPUs of this process; at least 1.
int threads_of_rank(const ThreadGroupOptions& options, int num_ranks);

/// One process, which has all ranks. REQUIRES: ranks >= 1.
std::unique_ptr<World> single_process(int ranks, const ThreadGroupOptions& options = {});

/// Whether this process was started by mpirun, mpiexec or srun, of which variables of Open MPI, MPICH and their
/// relatives tell. `environment` gives the value of the variable that it is asked for, or null: the caller's getenv.
bool started_by_mpi(const std::function<const char*(const char*)>& environment);

/// What errors call `count` ranks from `first` on: "rank 3", "ranks 3-5".
std::string name_of_ranks(int first, int count);

}  // namespace cleave::comm
