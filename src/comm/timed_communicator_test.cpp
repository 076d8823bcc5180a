#include "comm/timed_communicator.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "comm/testing/conformance.h"

namespace cleave::comm {
namespace {

using std::chrono_literals::operator""ms;

constexpr int64_t kOneShotBytes = 1024;

std::vector<std::unique_ptr<Communicator>> timed_group(int ranks) {
  auto group = thread_communicators(ranks, {.one_shot_bytes = kOneShotBytes});
  for (auto& communicator : group) communicator = std::make_unique<TimedCommunicator>(std::move(communicator));
  return group;
}

class TimedGroup : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, TimedGroup, testing::Values(1, 2, 3, 5), testing::PrintToStringParamName());

TEST_P(TimedGroup, DoesWhatTheInnerOneDoes) {
  conformance::expect_no_errors(conformance::run_ranks(timed_group(GetParam()), [](Communicator& communicator) {
    conformance::check_everything(communicator, kOneShotBytes);
    conformance::check_split(communicator, kOneShotBytes);
  }));
}

TEST(TimedCommunicator, CountsTheWaitForOthersAndNothingElse) {
  conformance::expect_no_errors(conformance::run_ranks(timed_group(2), [](Communicator& communicator) {
    const auto& timed = dynamic_cast<TimedCommunicator&>(communicator);
    EXPECT_EQ(timed.seconds(), 0);
    if (communicator.rank() == 1) std::this_thread::sleep_for(50ms);
    communicator.barrier();
    const double waited = timed.seconds();
    if (communicator.rank() == 0) {
      EXPECT_GT(waited, 0.02);
    }
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(timed.seconds(), waited);
  }));
}

}  // namespace
}  // namespace cleave::comm
