#pragma once

#include <functional>
#include <memory>
#include <string>

#include "comm/world.h"

/// Processes that mpirun starts. The one header of this folder that needs no MPI: where the program is built without
/// (CLEAVE_MPI=OFF), no_mpi.cpp defines what it declares.
namespace cleave::comm {

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

/// Whether this program is built with MPI.
bool has_mpi();

/// The processes that mpirun started. Initialises MPI; one object in a process's life. Throws Error(Comm) where
/// processes cannot reach one another, Error(Unsupported) where MPI cannot be called by several threads or the program
/// is built without MPI. Every process calls it.
std::unique_ptr<World> mpi_world(const MpiOptions& options);

}  // namespace cleave::comm
