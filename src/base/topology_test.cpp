#include "base/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <set>
#include <thread>

namespace cleave {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// CPUs numbered as Linux does on servers: the second of every core after the first ones of all.
Topology make(int nodes, int cores_per_node, int cpus_per_core) {
  Topology topology;
  const int cores = nodes * cores_per_node;
  for (int node = 0; node < nodes; ++node) {
    topology.nodes.emplace_back();
    for (int core = node * cores_per_node; core < (node + 1) * cores_per_node; ++core) {
      topology.nodes.back().cores.emplace_back();
      for (int cpu = 0; cpu < cpus_per_core; ++cpu)
        topology.nodes.back().cores.back().cpus.push_back(cpu * cores + core);
    }
  }
  return topology;
}

TEST(Topology, GivesEveryRankItsOwnNode) {
  EXPECT_THAT(place_ranks(make(2, 4, 2), 2, 4), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(4, 5, 6, 7)));
}

TEST(Topology, SharesANodesCoresBetweenItsRanks) {
  EXPECT_THAT(place_ranks(make(2, 4, 1), 4, 2),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4, 5), ElementsAre(6, 7)));
  EXPECT_THAT(place_ranks(make(2, 4, 1), 3, 1), ElementsAre(ElementsAre(0), ElementsAre(2), ElementsAre(4)));
}

TEST(Topology, SpreadsTheThreadsOfARankOverItsNodes) {
  EXPECT_THAT(place_ranks(make(2, 4, 1), 1, 2), ElementsAre(ElementsAre(0, 4)));
}

TEST(Topology, SharesACoreOnlyWhenThereAreNoOthers) {
  EXPECT_THAT(place_ranks(make(1, 4, 2), 1, 6), ElementsAre(ElementsAre(0, 1, 2, 3, 4, 5)));
  EXPECT_THAT(place_ranks(make(1, 4, 2), 2, 4), ElementsAre(ElementsAre(0, 1, 4, 5), ElementsAre(2, 3, 6, 7)));
}

TEST(Topology, PacksRanksThatDoNotDivideTheNodes) {
  EXPECT_THAT(place_ranks(make(2, 3, 1), 3, 2), ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4, 5)));
}

TEST(Topology, PinsNothingWhenThreadsExceedTheCpus) {
  EXPECT_THAT(place_ranks(make(1, 2, 1), 3, 1), ElementsAre(IsEmpty(), IsEmpty(), IsEmpty()));
}

TEST(Topology, NeverGivesACpuTwice) {
  for (const auto& topology : {make(1, 5, 1), make(2, 3, 2), make(3, 4, 2), make(4, 1, 1)}) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
      for (int threads = 1; threads <= 12; ++threads) {
        std::multiset<int> used;
        for (const auto& cpus : place_ranks(topology, ranks, threads)) used.insert(cpus.begin(), cpus.end());
        const bool fits = ranks * threads <= topology.num_cpus();
        EXPECT_EQ(used.size(), fits ? static_cast<size_t>(ranks * threads) : 0) << ranks << " x " << threads;
        for (const int cpu : used) EXPECT_EQ(used.count(cpu), 1) << ranks << " x " << threads;
      }
    }
  }
}

TEST(Topology, OfThisMachineKeepsToTheAffinityMask) {
  std::thread([] {
    const Topology whole = detect_topology();
    ASSERT_GE(whole.num_cpus(), 1);
    const int cpu = whole.nodes.back().cores.back().cpus.back();
    ASSERT_TRUE(pin_current_thread(cpu));
    EXPECT_EQ(sched_getcpu(), cpu);
    const Topology one = detect_topology();
    EXPECT_EQ(one.num_cpus(), 1);
    EXPECT_THAT(place_ranks(one, 1, 1), ElementsAre(ElementsAre(cpu)));
  }).join();
}

}  // namespace
}  // namespace cleave
