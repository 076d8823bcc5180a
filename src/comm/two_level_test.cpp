#include "comm/two_level.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "comm/conformance.h"
#include "comm/thread_group.h"

namespace cleave::comm {
namespace {

using conformance::run_ranks;
using std::chrono_literals::operator""ms;
using testing::Each;
using testing::HasSubstr;

constexpr int64_t kOneShotBytes = 1024;

// Processes of these sizes, played by threads: a group inside each, one between the leaders, and one of all ranks for
// direct transfers.
std::vector<std::unique_ptr<Communicator>> make_group(const std::vector<int>& local_ranks,
                                                      std::chrono::milliseconds stall_timeout = 3000ms) {
  const ThreadGroupOptions options = {.stall_timeout = stall_timeout, .one_shot_bytes = kOneShotBytes};
  const auto failure = std::make_shared<Failure>();
  std::vector<int> first_ranks = {0};
  for (const int ranks : local_ranks) first_ranks.push_back(first_ranks.back() + ranks);
  const std::vector<std::string> names = rank_names(first_ranks.back());
  auto direct = thread_communicators(names, options, failure);
  auto between = thread_communicators(rank_names(static_cast<int>(local_ranks.size())), options, failure);
  std::vector<std::unique_ptr<Communicator>> all;
  for (size_t process = 0; process < local_ranks.size(); ++process) {
    const std::vector<std::string> local_names(names.begin() + first_ranks[process],
                                               names.begin() + first_ranks[process + 1]);
    for (auto& local : thread_communicators(local_names, options, failure)) {
      auto leader = local->rank() == 0 ? std::move(between[process]) : nullptr;
      all.push_back(std::make_unique<TwoLevelCommunicator>(
          std::move(local), std::move(leader), std::move(direct[all.size()]), first_ranks, static_cast<int>(process)));
    }
  }
  return all;
}

class TwoLevel : public testing::TestWithParam<std::vector<int>> {};
INSTANTIATE_TEST_SUITE_P(Processes, TwoLevel,
                         testing::Values(std::vector{1}, std::vector{3}, std::vector{2, 2}, std::vector{1, 3},
                                         std::vector{2, 1, 2}),
                         [](const auto& test) { return fmt::format("{}", fmt::join(test.param, "and")); });

TEST_P(TwoLevel, DoesEveryCollective) {
  conformance::expect_no_errors(run_ranks(make_group(GetParam()), [](Communicator& communicator) {
    conformance::check_everything(communicator, kOneShotBytes);
    conformance::check_many_calls(communicator, 50);
  }));
}

TEST(TwoLevel, NamesTheRankOfAnotherProcessThatGaveUp) {
  const auto errors = run_ranks(make_group({2, 3}), [](Communicator& communicator) {
    if (communicator.rank() == 3) fail(ErrorKind::Io, "disk full");
    conformance::check_broadcast(communicator, 10, 3);
    communicator.barrier();
  });
  for (const int rank : {0, 1, 2, 4}) EXPECT_EQ(errors[static_cast<size_t>(rank)], "rank 3 gave up: disk full") << rank;
}

TEST(TwoLevel, NamesTheRankOfAnotherProcessThatStalled) {
  std::atomic<int> failed{0};
  const auto errors = run_ranks(make_group({2, 2}, 1000ms), [&](Communicator& communicator) {
    communicator.barrier();
    if (communicator.rank() == 3) failed.wait(0);
    try {
      communicator.barrier();
    } catch (const Error&) {
      failed = 1;
      failed.notify_all();
      throw;
    }
  });
  EXPECT_THAT(errors, Each(HasSubstr("rank 3 stalled")));
}

}  // namespace
}  // namespace cleave::comm
