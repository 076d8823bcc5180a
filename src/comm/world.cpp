#include "comm/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/cpus.h"
#include "comm/thread_group.h"

namespace cleave::comm {
namespace {

class SingleProcess final : public World {
 public:
  SingleProcess(int ranks, ThreadGroupOptions options)
      : ranks_(ranks), threads_per_rank_(threads_of_rank(options, ranks)) {
    options.threads_per_rank = threads_per_rank_;
    communicators_ = thread_communicators(numbered_members(ranks), options, failure_);
  }

  int process() const override { return 0; }
  int num_processes() const override { return 1; }
  int first_rank(int process) const override { return process * ranks_; }
  CpuShare cpu_share() const override { return {0, ranks_}; }
  int threads_per_rank() const override { return threads_per_rank_; }
  std::vector<std::unique_ptr<Communicator>> communicators() override {
    CHECK(!communicators_.empty());
    return std::move(communicators_);
  }
  void abort(std::string_view why) override {
    failure_->set(fmt::format("{} gave up: {}", name_of_ranks(0, ranks_), why));
  }
  void finish() override { failure_->raise_if_set(); }

 private:
  int ranks_, threads_per_rank_;
  std::shared_ptr<Failure> failure_ = std::make_shared<Failure>();
  std::vector<std::unique_ptr<Communicator>> communicators_;
};

}  // namespace

int threads_of_rank(const ThreadGroupOptions& options, int num_ranks) {
  return options.threads_per_rank == kShareOfCpus ? std::max(1, usable_cpus() / num_ranks) : options.threads_per_rank;
}

std::unique_ptr<World> single_process(int ranks, const ThreadGroupOptions& options) {
  CHECK_GE(ranks, 1);
  return std::make_unique<SingleProcess>(ranks, options);
}

bool started_by_mpi(const std::function<const char*(const char*)>& environment) {
  // Open MPI; MPICH, Intel MPI and MVAPICH; anything that starts processes through PMIx, such as srun --mpi=pmix.
  constexpr const char* kVariables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK"};
  return std::ranges::any_of(kVariables, [&](const char* name) { return environment(name) != nullptr; });
}

std::string name_of_ranks(int first, int count) {
  return count == 1 ? fmt::format("rank {}", first) : fmt::format("ranks {}-{}", first, first + count - 1);
}

}  // namespace cleave::comm
