#include "runtime/rank_group.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "runtime/split_model.h"
#include "runtime/testing/tiny_model.h"

namespace cleave::runtime {
namespace {

using testing::HasSubstr;
using testing::Pointwise;

// Made once: random weights take a fifth of a second.
const TinyModel& wide() {
  static const TinyModel model({.width = 48});
  return model;
}
const TinyModel& narrow() {
  static const TinyModel model({.width = 36}, 2);
  return model;
}

MATCHER(IsClose, "") {
  return std::abs(std::get<0>(arg) - std::get<1>(arg)) < 1e-5f;
}

/// What one rank alone computes.
std::vector<float> reference(const TinyModel& tiny, int32_t tokens, int program = 0) {
  RankGroup group(thread_ranks(1));
  const plan::Plan plan = tiny.plan(1);
  SplitModel model(group, tiny.source(plan));
  return logits_of(model, tokens, program);
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(RankGroup, SharesWorkOfTheHostOutToAllThreadsOfItsRanks) {
  for (const int ranks : {1, 2, 3, 5})
    for (const int threads : {1, 2}) {
      LocalRanks local = thread_ranks(ranks);
      local.threads_per_rank = threads;
      RankGroup group(std::move(local));
      ASSERT_EQ(group.num_workers(), ranks * threads);
      for (const int64_t count : {0, 1, 2, 100}) {
        std::vector<std::atomic<int>> done(static_cast<size_t>(count));
        std::vector<int64_t> by_worker(static_cast<size_t>(group.num_workers()), 0);  // each writes its own
        group.share_out(count, [&](int64_t index, int worker) {
          ++done.at(static_cast<size_t>(index));
          ++by_worker.at(static_cast<size_t>(worker));
        });
        for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
        EXPECT_EQ(std::accumulate(by_worker.begin(), by_worker.end(), int64_t{0}), count);
      }
    }
}

class ThreadGroup : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, ThreadGroup, testing::Values(1, 2, 3, 5), testing::PrintToStringParamName());

TEST_P(ThreadGroup, RunsTwoModelsByTurns) {
  const TinyModel &a = wide(), &b = narrow();
  const std::vector<float> of_a = reference(a, 7), of_b = reference(b, 5);
  RankGroup group(thread_ranks(GetParam()));
  const plan::Plan plan_a = a.plan(GetParam()), plan_b = b.plan(GetParam());
  SplitModel model_a(group, a.source(plan_a)), model_b(group, b.source(plan_b));
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_THAT(logits_of(model_a, 7), Pointwise(IsClose(), of_a));
    EXPECT_THAT(logits_of(model_b, 5), Pointwise(IsClose(), of_b));
  }
}

TEST_P(ThreadGroup, RunsEachOutputOfAModelOverTheSameWeights) {
  const TinyModel both({.width = 48, .hidden_output = true});
  const std::vector<float> logits = reference(wide(), 7), hidden = reference(both, 7, 1);
  RankGroup group(thread_ranks(GetParam()));
  const plan::Plan plan = both.plan(GetParam());
  SplitModel model(group, both.source(plan));
  EXPECT_EQ(model.output_width(0), 131);
  EXPECT_EQ(model.output_width(1), 48);
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_THAT(logits_of(model, 7, 0), Pointwise(IsClose(), logits));
    EXPECT_THAT(logits_of(model, 7, 1), Pointwise(IsClose(), hidden));
  }
}

TEST_P(ThreadGroup, LoadsModelsWhileOthersStay) {
  const TinyModel &a = wide(), &b = narrow();
  const std::vector<float> of_a = reference(a, 7), of_b = reference(b, 5);
  RankGroup group(thread_ranks(GetParam()));
  const plan::Plan plan_a = a.plan(GetParam()), plan_b = b.plan(GetParam());
  auto first = std::make_unique<SplitModel>(group, a.source(plan_a));
  SplitModel second(group, b.source(plan_b));
  first.reset();
  EXPECT_THAT(logits_of(second, 5), Pointwise(IsClose(), of_b));
  first = std::make_unique<SplitModel>(group, a.source(plan_a));
  SplitModel third(group, a.source(plan_a));
  EXPECT_THAT(logits_of(*first, 7), Pointwise(IsClose(), of_a));
  EXPECT_THAT(logits_of(second, 5), Pointwise(IsClose(), of_b));
  EXPECT_THAT(logits_of(third, 7), Pointwise(IsClose(), of_a));
}

TEST_P(ThreadGroup, ReportsWhatEveryRankHolds) {
  const TinyModel& tiny = wide();
  RankGroup group(thread_ranks(GetParam()));
  const plan::Plan plan = tiny.plan(GetParam());
  SplitModel model(group, tiny.source(plan));
  EXPECT_EQ(model.num_ranks(), GetParam());
  EXPECT_EQ(model.output_width(), 131);
  EXPECT_EQ(model.num_blocks(), 2);
  EXPECT_EQ(model.num_state_slots(), 0);
  ASSERT_EQ(model.reports().size(), static_cast<size_t>(GetParam()));
  for (const RankReport& report : model.reports()) {
    EXPECT_GT(report.memory.weights, 0);
    EXPECT_GT(report.memory.activations, 0);
    EXPECT_EQ(report.process, getpid());
    EXPECT_STRNE(report.machine, "");
    EXPECT_EQ(report.num_threads, 1);
  }
}

TEST_P(ThreadGroup, SurvivesAModelThatCannotBeLoaded) {
  const TinyModel& tiny = wide();
  const TinyModel broken({.width = 48}, 1, "norm1");
  RankGroup group(thread_ranks(GetParam()));
  const plan::Plan plan = tiny.plan(GetParam()), broken_plan = broken.plan(GetParam());
  SplitModel model(group, tiny.source(plan));
  const std::vector<float> before = logits_of(model, 7);
  const std::string error = error_of([&] { SplitModel(group, broken.source(broken_plan)); });
  EXPECT_THAT(error, HasSubstr("norm1 is not in the checkpoint"));
  EXPECT_EQ(logits_of(model, 7), before);
  SplitModel again(group, tiny.source(plan));
  EXPECT_EQ(logits_of(again, 7), before);
}

TEST_P(ThreadGroup, CountsProgressOfAllRanks) {
  const TinyModel& tiny = wide();
  RankGroup group(thread_ranks(GetParam()));
  const plan::Plan plan = tiny.plan(GetParam());
  int64_t last = 0, all = 0;
  const SplitModel model(group, tiny.source(plan), {}, [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    last = done;
    all = total;
  });
  EXPECT_GT(last, 0);
  EXPECT_EQ(last, all);
}

TEST_P(ThreadGroup, ShowsObserversEveryRank) {
  const TinyModel& tiny = wide();
  RankGroup group(thread_ranks(GetParam()));
  const plan::Plan plan = tiny.plan(GetParam());
  std::vector<std::atomic<int>> seen(static_cast<size_t>(GetParam()));
  {
    SplitModel model(group, tiny.source(plan));
    model.observe(
        [&](int rank, const lower::Instruction&, std::span<const float>) { ++seen[static_cast<size_t>(rank)]; });
    logits_of(model, 3);
  }  // the last rank has been through, too
  for (const auto& count : seen) EXPECT_GT(count, 5);
}

// Bytes of this process that lie in memory.
int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST(RankGroup, GivesMemoryBackWhenAModelIsUnloaded) {
  const TinyModel large({.width = 1024, .intermediate = 4096});
  RankGroup group(thread_ranks(3));
  const plan::Plan plan = large.plan(3);
  const int64_t weights = [&] {
    SplitModel model(group, large.source(plan));
    int64_t bytes = 0;
    for (const RankReport& report : model.reports()) bytes += report.memory.weights;
    return bytes;
  }();
  EXPECT_GT(weights, 50'000'000);
  const int64_t before = resident_bytes();
  for (int round = 0; round < 3; ++round) {
    SplitModel model(group, large.source(plan));
    EXPECT_GT(resident_bytes(), before + weights / 2);
  }
  EXPECT_LT(resident_bytes(), before + weights / 4);
}

TEST(RankGroup, NamesARankThatFailsBetweenLoads) {
  const TinyModel& tiny = wide();
  LocalRanks ranks = thread_ranks(3);
  comm::Communicator& last = *ranks.communicators[2];
  RankGroup group(std::move(ranks));
  const plan::Plan plan = tiny.plan(3);
  auto model = std::make_unique<SplitModel>(group, tiny.source(plan));
  last.abort("disk full");
  EXPECT_THAT(error_of([&] { SplitModel(group, tiny.source(plan)); }), HasSubstr("rank 2 gave up: disk full"));
  EXPECT_THAT(error_of([&] { logits_of(*model, 3); }), HasSubstr("rank 2 gave up: disk full"));
  model.reset();
}

TEST(RankGroup, IsOfNoUseAfterAStepThatFails) {
  const TinyModel& tiny = wide();
  RankGroup group(thread_ranks(3));
  const plan::Plan plan = tiny.plan(3);
  SplitModel model(group, tiny.source(plan));
  const std::vector<int32_t> tokens = {1}, blocks = {99}, rows = {0};
  const SequenceStep sequence{1, 0, 1, blocks};
  EXPECT_THAT(error_of([&] { model.step({tokens, {&sequence, 1}, rows}); }), HasSubstr("key-value block 99 of 2"));
  EXPECT_NE(error_of([&] { logits_of(model, 3); }), "none");
}

/// Ranks of two "processes": two groups over communicators of one, of which the second follows on a thread of its own.
class TwoProcesses {
 public:
  TwoProcesses(int leading, int following, OpenSource open)
      : ranks_(thread_ranks(leading + following)), others_(take(leading)), leader_(std::move(ranks_)) {
    follower_ = std::thread([this, open = std::move(open)] {
      RankGroup group(std::move(others_));
      error_ = error_of([&] { group.follow(open); });
    });
  }
  ~TwoProcesses() { end(); }

  RankGroup& leader() { return *leader_; }
  /// Ends the group and gives what follow() has thrown.
  std::string end() {
    leader_.reset();
    if (follower_.joinable()) follower_.join();
    return error_;
  }

 private:
  LocalRanks take(int leading) {
    LocalRanks others;
    for (size_t r = static_cast<size_t>(leading); r < ranks_.communicators.size(); ++r)
      others.communicators.push_back(std::move(ranks_.communicators[r]));
    ranks_.communicators.resize(static_cast<size_t>(leading));
    return others;
  }

  LocalRanks ranks_, others_;
  std::optional<RankGroup> leader_;
  std::thread follower_;
  std::string error_;
};

/// What a process makes of the name of a model: with files or without.
OpenSource open_tiny(int ranks, bool has_files) {
  return [ranks, has_files](std::string_view description) {
    if (description != "narrow" && description != "wide") fail(ErrorKind::Comm, "nobody knows {}", description);
    const TinyModel& tiny = description == "wide" ? wide() : narrow();
    const auto plan = std::make_shared<plan::Plan>(tiny.plan(ranks));
    ModelSource source = tiny.source(*plan);
    if (!has_files) source.tensors = nullptr;
    source.owner = plan;
    return source;
  };
}

class Following : public testing::TestWithParam<std::tuple<int, int, bool>> {
 protected:
  int leading() const { return std::get<0>(GetParam()); }
  int following() const { return std::get<1>(GetParam()); }
  int ranks() const { return leading() + following(); }
  bool has_files() const { return std::get<2>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Processes, Following,
                         testing::Combine(testing::Values(1, 2), testing::Values(1, 3), testing::Bool()));

TEST_P(Following, LoadsWhatTheLeaderDescribes) {
  const std::vector<float> of_wide = reference(wide(), 7), of_narrow = reference(narrow(), 5);
  TwoProcesses processes(leading(), following(), open_tiny(ranks(), has_files()));
  const plan::Plan plan_wide = wide().plan(ranks()), plan_narrow = narrow().plan(ranks());
  for (int round = 0; round < 2; ++round) {
    SplitModel first(processes.leader(), wide().source(plan_wide), "wide");
    SplitModel second(processes.leader(), narrow().source(plan_narrow), "narrow");
    EXPECT_THAT(logits_of(first, 7), Pointwise(IsClose(), of_wide));
    EXPECT_THAT(logits_of(second, 5), Pointwise(IsClose(), of_narrow));
    EXPECT_THAT(logits_of(first, 7), Pointwise(IsClose(), of_wide));
  }
  EXPECT_EQ(processes.end(), "none");
}

TEST_P(Following, RefusesWhatOneProcessCannotOpen) {
  TwoProcesses processes(leading(), following(), open_tiny(ranks(), has_files()));
  const plan::Plan plan = wide().plan(ranks());
  EXPECT_EQ(error_of([&] { SplitModel(processes.leader(), wide().source(plan), "huge"); }),
            fmt::format("rank {} cannot load the model: nobody knows huge", leading()));
  EXPECT_THAT(error_of([&] { SplitModel(processes.leader(), wide().source(plan), "narrow"); }),
              HasSubstr("plans differ from rank 0's on rank"));
  SplitModel model(processes.leader(), wide().source(plan), "wide");
  EXPECT_THAT(logits_of(model, 7), Pointwise(IsClose(), reference(wide(), 7)));
}

TEST(RankGroup, TellsOthersWhenAProcessLeavesBeforeItFollows) {
  LocalRanks ranks = thread_ranks(3), others;
  others.communicators.push_back(std::move(ranks.communicators[2]));
  ranks.communicators.pop_back();
  RankGroup leader(std::move(ranks));
  { const RankGroup follower(std::move(others)); }
  const TinyModel& tiny = wide();
  const plan::Plan plan = tiny.plan(3);
  EXPECT_THAT(error_of([&] { SplitModel(leader, tiny.source(plan)); }), HasSubstr("rank 2 gave up"));
}

}  // namespace
}  // namespace cleave::runtime
