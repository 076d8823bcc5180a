#include "base/stop_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace cleave {
namespace {

using std::chrono_literals::operator""ms;

TEST(SecondsOf, IsAtLeastTheTimeThatTheCallSleeps) {
  EXPECT_GE(seconds_of([] { std::this_thread::sleep_for(5ms); }), 0.005);
}

TEST(ShortestCall, CallsOnceMoreThanItCounts) {
  int calls = 0;
  shortest_call(5, [&] { ++calls; });
  EXPECT_EQ(calls, 6);
}

TEST(ShortestCall, CountsNeitherTheFirstCallNorSlowOnes) {
  int calls = 0;
  const double seconds = shortest_call(2, [&] {
    if (++calls != 2) std::this_thread::sleep_for(20ms);
  });
  EXPECT_LT(seconds, 0.02);
}

}  // namespace
}  // namespace cleave
