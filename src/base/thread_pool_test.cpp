#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "base/topology.h"

namespace cleave {
namespace {

TEST(ThreadPool, RunsTheJobOncePerThread) {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    for (int repeat = 0; repeat < 100; ++repeat) {
      std::vector<std::atomic<int>> calls(static_cast<size_t>(threads));
      pool.run([&](int thread) { calls[static_cast<size_t>(thread)].fetch_add(1); });
      for (const auto& count : calls) EXPECT_EQ(count.load(), 1);
    }
  }
}

TEST(ThreadPool, WakesWorkersThatHaveGoneToSleep) {
  ThreadPool pool(3);
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic<int> calls{0};
    pool.run([&](int) { calls.fetch_add(1); });
    EXPECT_EQ(calls.load(), 3);
  }
}

TEST(ThreadPool, ParallelForCoversTheRangeInUnitsOfTheGrain) {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    for (const int64_t count : {0, 1, 7, 64, 1000}) {
      for (const int64_t grain : {1, 3, 16, 5000}) {
        std::vector<int> seen(static_cast<size_t>(count), 0);
        std::mutex mutex;
        pool.parallel_for(count, grain, [&](int64_t begin, int64_t end) {
          const std::scoped_lock lock(mutex);
          EXPECT_LT(begin, end);
          EXPECT_EQ(begin % grain, 0);
          for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
        });
        EXPECT_EQ(seen, std::vector<int>(static_cast<size_t>(count), 1)) << count << " in units of " << grain;
      }
    }
  }
}

TEST(ThreadPool, ASmallCountStaysOnTheCaller) {
  ThreadPool pool(3);
  const auto caller = std::this_thread::get_id();
  pool.parallel_for(16, 16, [&](int64_t, int64_t) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(ThreadPool, BindsItsWorkersToTheirCpus) {
  const Topology topology = detect_topology();
  const int cpu = topology.nodes[0].cores[0].cpus[0];
  ThreadPool pool(3, std::vector{cpu, cpu, cpu});
  pool.run([&](int thread) {
    if (thread > 0) {
      EXPECT_EQ(sched_getcpu(), cpu);
    }
  });
}

TEST(ThreadPool, GivesAnExceptionToTheCallerAndGoesOn) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.run([](int thread) {
    if (thread == 2) throw std::runtime_error("worker");
  }),
               std::runtime_error);
  EXPECT_THROW(pool.run([](int) { throw std::runtime_error("all"); }), std::runtime_error);
  std::atomic<int> calls{0};
  pool.run([&](int) { calls.fetch_add(1); });
  EXPECT_EQ(calls.load(), 3);
}

}  // namespace
}  // namespace cleave
