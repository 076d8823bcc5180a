#pragma once

// The C interface only; the C++ one is gone from the standard.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/failure.h"
#include "comm/heartbeat.h"
#include "comm/patience.h"
#include "comm/pulse.h"

namespace cleave::comm {

/// What every user of MPI in this process shares. Outlives them.
struct MpiContext {
  int process = 0;
  int num_processes = 0;
  std::vector<int> first_ranks;    // [num_processes + 1]: global rank of each process's first rank, then their number
  std::vector<std::string> names;  // of processes, for errors
  std::chrono::milliseconds stall_timeout{0};
  bool cores_suffice = true;  // every process of this machine has a core
  std::shared_ptr<Failure> failure;
  Pulse pulse;  // of all ranks of this process
  std::unique_ptr<Heartbeat> heartbeat;

  int num_ranks() const { return first_ranks.back(); }
  int process_of(int rank) const;
  /// Throws Error(Comm), and tells the other processes, where an MPI call has failed.
  void check(int code, const char* what) const;
};

/// The transfers of one call: posted together, waited for together. Reused by later calls, so that nothing is
/// allocated. Used by one thread at a time. After an error transfers stay posted; nobody calls MPI any more, so they
/// touch no memory.
class MpiTransfers {
 public:
  MpiTransfers(MpiContext& context, MPI_Comm communicator) : context_(context), communicator_(communicator) {}

  void send(const void* data, int64_t bytes, int process, int tag);
  void receive(void* data, int64_t bytes, int process, int tag);
  /// Polls until all are done. Throws Error(Comm) where the group has failed, or a process that takes part stalled.
  void wait(const char* collective, Patience patience);

 private:
  struct Transfer {
    int process = 0;
    int64_t bytes = 0;
    bool is_receive = false;
  };
  bool all_done();
  void look_for_stalls(const char* collective);
  void pause(std::chrono::nanoseconds waited) const;

  MpiContext& context_;
  MPI_Comm communicator_;
  std::vector<MPI_Request> requests_;
  std::vector<Transfer> transfers_;   // of each request
  std::vector<MPI_Status> statuses_;  // of each request
  std::vector<StallClock> stalls_;    // of each process; empty until a wait has become long
};

}  // namespace cleave::comm
