#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace cleave::comm {

/// Whether this process was started by mpirun, mpiexec or srun: Open MPI, MPICH and their relatives say so in the
/// environment. `environment` gives a variable's value or null, as getenv does.
bool started_by_mpi(const std::function<const char*(const char*)>& environment);

struct MpiOptions {
  /// Ranks of this process, which are threads of it. Every process may have its own number.
  int local_ranks = 1;
  ThreadGroupOptions local;  // of the ranks of this process; its stall_timeout also serves between processes
  /// Called once with the text of the first failure in the group, by whichever thread has found it or heard of it,
  /// after the other processes were told; the same text is thrown by this process's current or next call. mpirun ends
  /// all processes a second after one has died, even those that compute and make no call: a program should print the
  /// text here, and exit soon with a code other than 0. It should also ignore SIGTERM, with which mpirun begins.
  std::function<void(const std::string&)> on_failure;
};

/// Which of the ranks that share CPUs are this process's: first_rank and those that follow, of num_ranks.
struct CpuShare {
  int first_rank = 0;
  int num_ranks = 0;
};

/// The processes that mpirun started. Initialises MPI; one object in a process's life, created, finished and destroyed
/// by the main thread.
class MpiWorld {
 public:
  /// Throws Error(Comm) where processes cannot reach one another, Error(Unsupported) where MPI cannot be called by
  /// several threads. Every process calls it.
  explicit MpiWorld(const MpiOptions& options);
  MpiWorld(const MpiWorld&) = delete;
  MpiWorld& operator=(const MpiWorld&) = delete;
  /// Without finish() before, the other processes are told that this one gives up.
  ~MpiWorld();

  int process() const;
  int num_processes() const;

  /// Among the ranks of all processes of this machine that may use the same CPUs as this one: for place_ranks in
  /// base/topology.h, which otherwise would give every process the same.
  CpuShare cpu_share() const;

  /// The ends of this process's ranks, in order. Global ranks number those of process 0 first, then those of process 1,
  /// and so on. REQUIRES: called once; the communicators are destroyed before the world.
  std::vector<std::unique_ptr<Communicator>> communicators();

  /// Ends the group in good order: waits until every process has called it and finalises MPI. Throws Error(Comm) as a
  /// collective does. Call it after the last collective, when this process has not failed.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::comm
