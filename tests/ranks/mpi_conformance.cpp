// mpi_conformance RANKS,RANKS,...: the conformance suite over MPI, with that many ranks in each process.
#include <algorithm>
#include <cstdio>

#include "base/cpus.h"
#include "base/strings.h"
#include "comm/mpi/mpi_world.h"
#include "comm/testing/conformance.h"

namespace cleave::comm {
namespace {

// Both sides of every switch-over: of threads (1 KB here) and of processes (32 KB).
constexpr int64_t kLocalOneShotBytes = 1024;
constexpr int64_t kBetweenOneShotBytes = int64_t{32} << 10;

void check_rank(Communicator& communicator) {
  conformance::check_everything(communicator, kLocalOneShotBytes);
  conformance::check_everything(communicator, kBetweenOneShotBytes);
  conformance::check_many_calls(communicator, 100);
  conformance::check_split(communicator, kLocalOneShotBytes);
  require_equal(communicator, 5, "plans");
  EXPECT_GT(measure(communicator).all_reduce.bytes_per_second, 0);
  // Every rank computes a sum of its own number, so the size is right too.
  auto sum = static_cast<float>(communicator.rank());
  communicator.all_reduce(&sum, 1, DType::F32);
  EXPECT_EQ(sum, static_cast<float>(communicator.size() * (communicator.size() - 1) / 2));
}

int run(const std::string& ranks_of_processes) {
  EXPECT_TRUE(started_by_mpi(std::getenv));
  // The number of ranks is known before MPI is: Open MPI says in the environment which process this is.
  const auto ranks = split(ranks_of_processes, ',');
  const char* process = std::getenv("OMPI_COMM_WORLD_RANK");
  MpiOptions options;
  options.local_ranks = std::stoi(ranks[process != nullptr ? std::stoul(process) : 0]);
  options.local.threads_per_rank = kShareOfCpus;
  options.local.one_shot_bytes = kLocalOneShotBytes;
  const std::unique_ptr<World> world = mpi_world(options);
  EXPECT_EQ(world->num_processes(), static_cast<int>(ranks.size()));
  EXPECT_EQ(world->threads_per_rank(), std::max(1, usable_cpus() / world->cpu_share().num_ranks));
  EXPECT_LE(world->cpu_share().first_rank + options.local_ranks, world->cpu_share().num_ranks);
  conformance::expect_no_errors(conformance::run_ranks(world->communicators(), check_rank));
  if (!testing::Test::HasFailure()) world->finish();
  return testing::Test::HasFailure() ? 1 : 0;
}

}  // namespace
}  // namespace cleave::comm

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  try {
    const int code = argc == 2 ? cleave::comm::run(argv[1]) : 2;
    std::printf("%s\n", code == 0 ? "passed" : "failed");
    return code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
