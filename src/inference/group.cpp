#include "inference/group.h"

#include <utility>

#include "base/cpus.h"
#include "base/topology.h"
#include "comm/mpi/mpi_world.h"

namespace cleave::inference {
namespace {

// CPUs for the threads of each rank of this process, where binding is worth it: with several NUMA nodes, or if asked.
std::vector<std::vector<int>> cpus_of_ranks(const GroupOptions& options, const comm::World& world) {
  const comm::CpuShare share = world.cpu_share();
  if (share.num_ranks == 1 && !options.pin) return {};  // nothing to keep apart: the look-up takes 12 ms
  const Topology topology = detect_topology();
  if (topology.nodes.size() < 2 && !options.pin) return {};
  const auto all = place_ranks(topology, share.num_ranks, world.threads_per_rank());
  const auto first = all.begin() + share.first_rank;
  return {first, first + options.ranks};
}

std::unique_ptr<comm::World> make_world(const GroupOptions& options) {
  const comm::ThreadGroupOptions local = {.threads_per_rank = options.threads_per_rank};
  if (!options.mpi) return comm::single_process(options.ranks, local);
  return comm::mpi_world({.local_ranks = options.ranks, .local = local, .on_failure = options.on_failure});
}

}  // namespace

Group::Group(const GroupOptions& options)
    : num_cpus_(usable_cpus()), world_(make_world(options)), threads_per_rank_(world_->threads_per_rank()) {
  ranks_ = std::make_unique<runtime::RankGroup>(
      runtime::LocalRanks{world_->communicators(), threads_per_rank_, cpus_of_ranks(options, *world_)});
  num_ranks_ = ranks_->size();
  leads_ = ranks_->leads();
}

Group::~Group() = default;

void Group::abort(std::string_view why) {
  world_->abort(why);
}

void Group::finish() {
  ranks_.reset();
  world_->finish();
}

}  // namespace cleave::inference
