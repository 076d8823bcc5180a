#include "app/launch.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "app/terminal.h"
#include "base/topology.h"

namespace cleave::app {
namespace {

// CPUs for the threads of each rank of this process, where binding is worth it: with several NUMA nodes, or if asked.
std::vector<std::vector<int>> place(const SplitFlags& flags, int threads_per_rank, comm::CpuShare share, int ranks) {
  if (share.num_ranks == 1 && !flags.pin) return {};  // nothing to keep apart: the look-up takes 12 ms
  const Topology topology = detect_topology();
  if (topology.nodes.size() < 2 && !flags.pin) return {};
  const auto all = place_ranks(topology, share.num_ranks, threads_per_rank);
  const auto first = all.begin() + share.first_rank;
  return {first, first + ranks};
}

// The first failure of the group, whoever finds it: mpirun ends this process soon, whatever it is doing.
void exit_on_failure(const std::string& text) {
  print_error(text);
  std::_Exit(1);
}

}  // namespace

bool Launch::by_mpi() {
  return comm::started_by_mpi([](const char* name) { return std::getenv(name); });
}

Launch::Launch(const ModelFlags& flags, int ranks, Span span)
    : threads_per_rank_(flags.split.threads_per_rank.value_or(std::max(1, flags.threads / ranks))) {
  comm::CpuShare share{0, ranks};
  if (span == Span::Everywhere && by_mpi()) {
    std::signal(SIGTERM, SIG_IGN);  // with which mpirun begins when another process has died: time to say which
    comm::MpiOptions options;
    options.local_ranks = ranks;
    options.local.threads_per_rank = threads_per_rank_;
    options.on_failure = exit_on_failure;
    world_ = std::make_unique<comm::MpiWorld>(options);
    communicators_ = world_->communicators();
    share = world_->cpu_share();
  } else {
    communicators_ = comm::thread_communicators(ranks, {.threads_per_rank = threads_per_rank_});
  }
  num_ranks_ = first().size();
  leads_ = first().rank() == 0;
  cpus_ = place(flags.split, threads_per_rank_, share, ranks);
}

Launch::~Launch() = default;

runtime::LocalRanks Launch::local() {
  return {std::move(communicators_), threads_per_rank_, std::move(cpus_)};
}

void Launch::abort(std::string_view why) {
  if (world_) world_->abort(why);
}

void Launch::finish() {
  if (world_) world_->finish();
}

}  // namespace cleave::app
