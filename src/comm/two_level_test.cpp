#include "comm/two_level.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <numeric>
#include <tuple>

#include "comm/testing/conformance.h"
#include "comm/thread_group.h"

namespace cleave::comm {
namespace {

using conformance::run_ranks;
using std::chrono_literals::operator""ms;
using testing::Each;
using testing::HasSubstr;

constexpr int64_t kOneShotBytes = 1024;

// Ranks of several processes, played by threads: what stands in for links makes thread groups on demand and hands each
// rank its end.
class Exchange {
 public:
  Exchange(int ranks, const ThreadGroupOptions& options) : options_(options), members_(numbered_members(ranks)) {}

  std::vector<Member> members(std::span<const int> ranks) const {
    std::vector<Member> chosen;
    for (const int rank : ranks) chosen.push_back(members_[static_cast<size_t>(rank)]);
    return chosen;
  }
  const std::shared_ptr<Failure>& failure() const { return failure_; }

  // The end of `rank` in the group of these ranks that is used for `what`.
  std::unique_ptr<Communicator> end(const std::string& what, const std::vector<int>& ranks, int group, int rank) {
    const std::scoped_lock lock(mutex_);
    auto& ends = groups_[{what, ranks, group}];
    if (ends.empty()) ends = thread_communicators(members(ranks), options_, failure_);
    auto& own = ends[static_cast<size_t>(std::ranges::find(ranks, rank) - ranks.begin())];
    EXPECT_NE(own, nullptr) << "group " << group << " is not the first one of this number";
    return std::move(own);
  }

 private:
  ThreadGroupOptions options_;
  std::vector<Member> members_;
  std::shared_ptr<Failure> failure_ = std::make_shared<Failure>();
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::vector<int>, int>, std::vector<std::unique_ptr<Communicator>>> groups_;
};

class ThreadLinks final : public Links {
 public:
  ThreadLinks(std::shared_ptr<Exchange> exchange, int rank) : exchange_(std::move(exchange)), rank_(rank) {}
  std::unique_ptr<Communicator> collectives(std::vector<int> ranks, int group) override {
    return exchange_->end("collectives", ranks, group, rank_);
  }
  std::unique_ptr<PointToPoint> transfers(std::vector<int> ranks, int group) override {
    return exchange_->end("transfers", ranks, group, rank_);
  }

 private:
  std::shared_ptr<Exchange> exchange_;
  int rank_;
};

// Processes of these sizes.
std::vector<std::unique_ptr<Communicator>> make_group(const std::vector<int>& local_ranks,
                                                      std::chrono::milliseconds stall_timeout = 3000ms) {
  const ThreadGroupOptions options = {.stall_timeout = stall_timeout, .one_shot_bytes = kOneShotBytes};
  TwoLevelGroup group{.first_ranks = {0}};
  for (const int ranks : local_ranks) group.first_ranks.push_back(group.first_ranks.back() + ranks);
  group.ranks.resize(static_cast<size_t>(group.first_ranks.back()));
  std::iota(group.ranks.begin(), group.ranks.end(), 0);
  const auto exchange = std::make_shared<Exchange>(group.first_ranks.back(), options);
  std::vector<std::unique_ptr<Communicator>> all;
  for (group.process = 0; group.process < group.num_processes(); ++group.process) {
    const auto process = static_cast<size_t>(group.process);
    const std::span<const int> own =
        std::span(group.ranks)
            .subspan(static_cast<size_t>(group.first_ranks[process]), static_cast<size_t>(local_ranks[process]));
    for (auto& local : thread_communicators(exchange->members(own), options, exchange->failure())) {
      auto links = std::make_shared<ThreadLinks>(exchange, static_cast<int>(all.size()));
      all.push_back(std::make_unique<TwoLevelCommunicator>(std::move(local), std::move(links), group));
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

TEST_P(TwoLevel, DividesIntoGroups) {
  conformance::expect_no_errors(run_ranks(make_group(GetParam()), [](Communicator& communicator) {
    conformance::check_split(communicator, kOneShotBytes);
  }));
}

// Both parts have a rank in each of the two processes.
TEST(TwoLevel, NamesTheRankThatGaveUpInAPartOfTheGroup) {
  const auto errors = run_ranks(make_group({2, 3}), [](Communicator& communicator) {
    const auto part = communicator.split(communicator.rank() % 2);
    if (communicator.rank() == 3) part->abort("disk full");
    float x = 0;
    for (;;) part->all_reduce(&x, 1, DType::F32);
  });
  EXPECT_THAT(errors, Each(std::string("rank 3 gave up: disk full")));
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
