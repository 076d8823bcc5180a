#include "comm/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/cpus.h"
#include "base/error.h"
#include "comm/testing/conformance.h"

namespace cleave::comm {
namespace {

using conformance::run_ranks;
using testing::Each;

TEST(SingleProcess, HasAllRanks) {
  for (const int ranks : {1, 3, 5}) {
    const auto world = single_process(ranks);
    EXPECT_EQ(world->process(), 0);
    EXPECT_EQ(world->num_processes(), 1);
    EXPECT_EQ(world->first_rank(0), 0);
    EXPECT_EQ(world->first_rank(1), ranks);
    EXPECT_EQ(world->cpu_share().first_rank, 0);
    EXPECT_EQ(world->cpu_share().num_ranks, ranks);
    conformance::expect_no_errors(run_ranks(world->communicators(), [ranks](Communicator& communicator) {
      EXPECT_EQ(communicator.size(), ranks);
      conformance::check_all_reduce(communicator, 100);
    }));
    world->finish();
  }
}

TEST(SingleProcess, SharesTheCpusBetweenItsRanks) {
  EXPECT_EQ(single_process(3, {.threads_per_rank = 4})->threads_per_rank(), 4);
  for (const int ranks : {1, 2, 1000})
    EXPECT_EQ(single_process(ranks, {.threads_per_rank = kShareOfCpus})->threads_per_rank(),
              std::max(1, usable_cpus() / ranks));
}

TEST(SingleProcess, TellsItsRanksThatItGivesUp) {
  const auto world = single_process(3);
  const auto errors = run_ranks(world->communicators(), [&](Communicator& communicator) {
    communicator.barrier();
    if (communicator.rank() == 1) world->abort("disk full");
    for (;;) communicator.barrier();
  });
  EXPECT_THAT(errors, Each(std::string("ranks 0-2 gave up: disk full")));
  EXPECT_THROW(world->finish(), Error);
}

TEST(StartedByMpi, IsSaidByTheEnvironment) {
  EXPECT_FALSE(started_by_mpi([](const char*) { return nullptr; }));
  for (const std::string_view variable : {"OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMIX_RANK"})
    EXPECT_TRUE(started_by_mpi([&](const char* name) { return variable == name ? "1" : nullptr; })) << variable;
}

TEST(NameOfRanks, IsForPeople) {
  EXPECT_EQ(name_of_ranks(3, 1), "rank 3");
  EXPECT_EQ(name_of_ranks(3, 3), "ranks 3-5");
}

}  // namespace
}  // namespace cleave::comm
