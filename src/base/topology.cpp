#include "base/topology.h"

#include <hwloc.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>

#include "base/check.h"
#include "base/cpus.h"

namespace cleave {
namespace {

using Cores = std::vector<const Topology::Core*>;

struct HwlocDeleter {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};

std::unique_ptr<hwloc_topology, HwlocDeleter> load_hwloc() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) fail(ErrorKind::Io, "hwloc cannot be initialised");
  std::unique_ptr<hwloc_topology, HwlocDeleter> owner(topology);
  if (hwloc_topology_load(topology) != 0) fail(ErrorKind::Io, "hwloc cannot read the machine's topology");
  return owner;
}

// The part of the cores that belongs to item `index` of `count`.
Cores part(const Cores& cores, int64_t index, int64_t count) {
  const auto size = static_cast<int64_t>(cores.size());
  return {cores.begin() + size * index / count, cores.begin() + size * (index + 1) / count};
}

Cores cores_of_node(const Topology& topology, int64_t node) {
  Cores cores;
  for (const auto& core : topology.nodes[static_cast<size_t>(node)].cores) cores.push_back(&core);
  return cores;
}

// All cores of the rank's nodes, or its part of the cores of the node that it shares.
Cores cores_of_rank(const Topology& topology, int64_t rank, int64_t ranks) {
  const auto nodes = static_cast<int64_t>(topology.nodes.size());
  if (ranks > nodes) {
    const int64_t node = rank * nodes / ranks;
    const int64_t first = (node * ranks + nodes - 1) / nodes, end = ((node + 1) * ranks + nodes - 1) / nodes;
    return part(cores_of_node(topology, node), rank - first, end - first);
  }
  Cores cores;
  for (int64_t node = rank * nodes / ranks; node < (rank + 1) * nodes / ranks; ++node)
    std::ranges::copy(cores_of_node(topology, node), std::back_inserter(cores));
  return cores;
}

// One CPU for each thread: cores evenly spread while they suffice, then every core's second CPU, and so on. Fewer where
// there are not enough.
std::vector<int> cpus_of_cores(const Cores& cores, int64_t threads) {
  std::vector<int> cpus;
  const auto num_cores = static_cast<int64_t>(cores.size());
  if (threads <= num_cores) {
    for (int64_t thread = 0; thread < threads; ++thread)
      cpus.push_back(cores[static_cast<size_t>(thread * num_cores / threads)]->cpus[0]);
    return cpus;
  }
  size_t most = 0;
  for (const auto* core : cores) most = std::max(most, core->cpus.size());
  for (size_t sibling = 0; sibling < most; ++sibling)
    for (const auto* core : cores)
      if (sibling < core->cpus.size()) cpus.push_back(core->cpus[sibling]);
  cpus.resize(std::min(cpus.size(), static_cast<size_t>(threads)));
  return cpus;
}

// For ranks that do not fit their nodes' parts although the machine has enough: CPUs in order, node by node.
std::vector<std::vector<int>> pack_ranks(const Topology& topology, size_t ranks, size_t threads) {
  std::vector<int> all;
  for (const auto& node : topology.nodes)
    for (const auto& core : node.cores) all.insert(all.end(), core.cpus.begin(), core.cpus.end());
  std::vector<std::vector<int>> cpus(ranks);
  for (size_t rank = 0; rank < ranks; ++rank) {
    const auto first = all.begin() + static_cast<int64_t>(rank * threads);
    cpus[rank].assign(first, first + static_cast<int64_t>(threads));
  }
  return cpus;
}

}  // namespace

int Topology::num_cpus() const {
  size_t count = 0;
  for (const Node& node : nodes)
    for (const Core& core : node.cores) count += core.cpus.size();
  return static_cast<int>(count);
}

Topology detect_topology() {
  const auto hwloc = load_hwloc();
  const std::vector<int> allowed = allowed_cpus();
  std::map<int, std::map<unsigned, Topology::Core>> nodes;  // by number of the node and of the core
  hwloc_obj_t unit = nullptr;
  while ((unit = hwloc_get_next_obj_by_type(hwloc.get(), HWLOC_OBJ_PU, unit)) != nullptr) {
    const auto cpu = static_cast<int>(unit->os_index);
    if (!std::ranges::binary_search(allowed, cpu)) continue;
    const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(hwloc.get(), HWLOC_OBJ_CORE, unit);
    const int node = unit->nodeset == nullptr ? 0 : hwloc_bitmap_first(unit->nodeset);
    const unsigned core_number = core == nullptr ? unit->logical_index : core->logical_index;
    nodes[node][core_number].cpus.push_back(cpu);
  }
  Topology topology;
  for (auto& [number, cores] : nodes) {
    Topology::Node& node = topology.nodes.emplace_back();
    for (auto& [core_number, core] : cores) node.cores.push_back(std::move(core));
  }
  return topology;
}

std::vector<std::vector<int>> place_ranks(const Topology& topology, int ranks, int threads_per_rank) {
  CHECK_GE(ranks, 1);
  CHECK_GE(threads_per_rank, 1);
  const auto threads = static_cast<size_t>(threads_per_rank);
  if (static_cast<int64_t>(ranks) * threads_per_rank > topology.num_cpus())
    return std::vector<std::vector<int>>(static_cast<size_t>(ranks));
  std::vector<std::vector<int>> cpus;
  for (int rank = 0; rank < ranks; ++rank)
    cpus.push_back(cpus_of_cores(cores_of_rank(topology, rank, ranks), threads_per_rank));
  if (std::ranges::all_of(cpus, [&](const auto& list) { return list.size() == threads; })) return cpus;
  return pack_ranks(topology, static_cast<size_t>(ranks), threads);
}

bool pin_current_thread(int cpu) {
  // As long as its number asks: a cpu_set_t has room for 1,024 CPUs.
  const size_t num_cpus = static_cast<size_t>(cpu) + 1, bytes = CPU_ALLOC_SIZE(num_cpus);
  const std::unique_ptr<cpu_set_t, FreeMask> cpus(CPU_ALLOC(num_cpus));
  if (cpus == nullptr) return false;
  CPU_ZERO_S(bytes, cpus.get());
  CPU_SET_S(static_cast<size_t>(cpu), bytes, cpus.get());
  return pthread_setaffinity_np(pthread_self(), bytes, cpus.get()) == 0;
}

}  // namespace cleave
