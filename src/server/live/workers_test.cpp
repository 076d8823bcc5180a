#include "server/live/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace cleave::server {
namespace {

TEST(Workers, TakeNoMoreThanMayWait) {
  std::promise<void> begun, go_on;
  std::shared_future<void> may_end = go_on.get_future();
  std::atomic<int> done = 0;
  {
    Workers workers(1, 2);
    EXPECT_TRUE(workers.run([&] {
      begun.set_value();
      may_end.wait();
      ++done;
    }));
    begun.get_future().wait();
    std::promise<void> last;
    EXPECT_TRUE(workers.run([&] { ++done; }));
    EXPECT_TRUE(workers.run([&] {
      ++done;
      last.set_value();
    }));
    EXPECT_FALSE(workers.run([&] { ++done; }));
    go_on.set_value();
    last.get_future().wait();
  }
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace cleave::server
