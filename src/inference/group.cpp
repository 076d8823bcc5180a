#include "inference/group.h"

#include <utility>

#include "base/topology.h"

namespace cleave::inference {
namespace {

// CPUs for the threads of each rank of this process, where binding is worth it: with several NUMA nodes, or if asked.
std::vector<std::vector<int>> cpus_of_ranks(const GroupOptions& options, comm::CpuShare share) {
  if (share.num_ranks == 1 && !options.pin) return {};  // nothing to keep apart: the look-up takes 12 ms
  const Topology topology = detect_topology();
  if (topology.nodes.size() < 2 && !options.pin) return {};
  const auto all = place_ranks(topology, share.num_ranks, options.threads_per_rank);
  const auto first = all.begin() + share.first_rank;
  return {first, first + options.ranks};
}

}  // namespace

Group::Group(const GroupOptions& options) : threads_per_rank_(options.threads_per_rank) {
  comm::CpuShare share{0, options.ranks};
  if (options.mpi) {
    comm::MpiOptions mpi;
    mpi.local_ranks = options.ranks;
    mpi.local.threads_per_rank = threads_per_rank_;
    mpi.on_failure = options.on_failure;
    world_ = std::make_unique<comm::MpiWorld>(mpi);
    communicators_ = world_->communicators();
    share = world_->cpu_share();
  } else {
    communicators_ = comm::thread_communicators(options.ranks, {.threads_per_rank = threads_per_rank_});
  }
  num_ranks_ = first().size();
  leads_ = first().rank() == 0;
  cpus_ = cpus_of_ranks(options, share);
}

Group::~Group() = default;

runtime::LocalRanks Group::local() {
  return {std::move(communicators_), threads_per_rank_, std::move(cpus_)};
}

void Group::abort(std::string_view why) {
  if (world_) world_->abort(why);
}

void Group::finish() {
  if (world_) world_->finish();
}

}  // namespace cleave::inference
