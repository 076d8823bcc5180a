#pragma once

// The C interface only; the C++ one is gone from the standard.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <memory>
#include <string>
#include <vector>

#include "comm/failure.h"
#include "comm/heartbeat.h"
#include "comm/patience.h"
#include "comm/pulse.h"

namespace cleave::comm {

/// What every user of MPI in this process shares. Outlives them. Ranks are numbered as in the whole run.
struct MpiContext {
  int process = 0;
  int num_processes = 0;
  std::vector<int> first_ranks;    // [num_processes + 1]: each process's first rank, then the number of ranks
  std::vector<std::string> names;  // [processes], for errors
  std::vector<Member> members;     // [ranks]; pulses beat for those of this process
  std::chrono::milliseconds stall_timeout{0};
  int most_local_ranks = 1;   // that any process has
  bool cores_suffice = true;  // every process of this machine has a core
  MPI_Comm collectives = MPI_COMM_NULL, direct = MPI_COMM_NULL;
  std::shared_ptr<Failure> failure;
  std::unique_ptr<Heartbeat> heartbeat;

  int num_ranks() const { return first_ranks.back(); }
  int process_of(int rank) const;
  const std::string& name_of(int rank) const { return members[static_cast<size_t>(rank)].name; }
  Pulse& pulse_of(int rank) { return *members[static_cast<size_t>(rank)].pulse; }
  uint64_t progress_of(int rank) const;
  /// Tells apart the messages of groups, and those of pairs of ranks that lie in the same pair of processes.
  int tag(int group, int from, int to) const;
  /// Throws Error(Unsupported) where MPI has no tags for a group of this number.
  void require_tags(int group) const;
  /// Throws Error(Comm), and tells the other processes, where an MPI call has failed.
  void check(int code, const char* what) const;

 private:
  int local(int rank) const { return rank - first_ranks[static_cast<size_t>(process_of(rank))]; }
};

/// The transfers of one call of a rank: posted together, waited for together. Reused by later calls, so that nothing is
/// allocated. Used by one thread at a time. After an error transfers stay posted; nobody calls MPI any more, so they
/// touch no memory.
class MpiTransfers {
 public:
  /// Of `rank` in one group. The context outlives the object.
  MpiTransfers(MpiContext& context, MPI_Comm communicator, int rank, int group);

  void send(const void* data, int64_t bytes, int to);
  void receive(void* data, int64_t bytes, int from);
  /// Polls until all are done. Throws Error(Comm) where the run has failed, or a rank that takes part stalled.
  void wait(const char* collective, Patience patience);

 private:
  struct Transfer {
    int peer = 0;
    int64_t bytes = 0;
    bool is_receive = false;
  };
  bool all_done();
  void check_sizes(const char* collective);
  void look_for_stalls(const char* collective);
  void pause(std::chrono::nanoseconds waited) const;

  MpiContext& context_;
  MPI_Comm communicator_;
  int rank_, group_;
  std::vector<MPI_Request> requests_;
  std::vector<Transfer> transfers_;   // of each request
  std::vector<MPI_Status> statuses_;  // of each request
  std::vector<StallClock> stalls_;    // of each request; empty until a wait has become long
};

}  // namespace cleave::comm
