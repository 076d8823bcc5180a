#include "base/worker_ids.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace cleave {
namespace {

TEST(WorkerIds, AreTheSystemsNumbersOfAllThreadsButTheCallers) {
  ThreadPool pool(3);
  std::vector<pid_t> ids(3);
  pool.run([&](int thread) { ids[static_cast<size_t>(thread)] = gettid(); });
  EXPECT_EQ(worker_ids(pool), std::vector(ids.begin() + 1, ids.end()));
  ThreadPool alone(1);
  EXPECT_TRUE(worker_ids(alone).empty());
}

}  // namespace
}  // namespace cleave
