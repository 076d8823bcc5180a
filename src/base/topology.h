#pragma once

#include <span>
#include <vector>

namespace cleave {

/// The processors that this process may use, as the system numbers them. CPUs of one core share its execution units.
struct Topology {
  struct Core {
    std::vector<int> cpus;
  };
  struct Node {
    std::vector<Core> cores;
  };
  std::vector<Node> nodes;  // NUMA nodes that have CPUs for us

  int num_cpus() const;
};

/// Of this machine, within the affinity mask of the process. Throws Error(Io) where the system does not tell.
Topology detect_topology();

/// CPUs for each thread of each rank, [ranks][threads_per_rank], no CPU twice. Ranks spread over NUMA nodes first and
/// share a node's cores when there are more of them than nodes; threads of a rank spread evenly over its cores, and
/// share a core only when there are no others. Where the CPUs do not suffice, every rank's list is empty: threads that
/// share CPUs are better placed by the system.
std::vector<std::vector<int>> place_ranks(const Topology& topology, int ranks, int threads_per_rank);

/// Binds the calling thread, and memory that it touches first, to that CPU. False where the system refuses.
bool pin_current_thread(int cpu);

}  // namespace cleave
