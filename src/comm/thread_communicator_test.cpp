#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>

#include "base/worker_ids.h"
#include "comm/testing/conformance.h"

namespace cleave::comm {
namespace {

using conformance::expect_no_errors;
using conformance::run_ranks;
using std::chrono_literals::operator""ms;
using testing::Each;
using testing::HasSubstr;

// Small, so that both algorithms are reached with little data.
constexpr int64_t kOneShotBytes = 1024;

std::vector<std::unique_ptr<Communicator>> make_group(int ranks, std::chrono::milliseconds stall_timeout = 3000ms) {
  return thread_communicators(ranks, {.stall_timeout = stall_timeout, .one_shot_bytes = kOneShotBytes});
}

TEST(SelfCommunicator, DoesEverythingForOneRank) {
  const auto communicator = self_communicator();
  conformance::check_everything(*communicator, kOneShotBytes);
  conformance::check_many_calls(*communicator, 10);
  conformance::check_split(*communicator, kOneShotBytes);
}

class ThreadCommunicator : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, ThreadCommunicator, testing::Values(1, 2, 3, 5, 8), testing::PrintToStringParamName());

TEST_P(ThreadCommunicator, DoesEveryCollective) {
  expect_no_errors(run_ranks(make_group(GetParam()), [](Communicator& communicator) {
    conformance::check_everything(communicator, kOneShotBytes);
  }));
}

TEST_P(ThreadCommunicator, StaysInStepOverManyCalls) {
  expect_no_errors(run_ranks(make_group(GetParam()),
                             [](Communicator& communicator) { conformance::check_many_calls(communicator, 500); }));
}

TEST_P(ThreadCommunicator, LeavesABarrierWhenAllHaveEntered) {
  std::atomic<int> entered{0};
  expect_no_errors(run_ranks(make_group(GetParam()), [&](Communicator& communicator) {
    for (int call = 1; call <= 50; ++call) {
      if (call % communicator.size() == communicator.rank()) std::this_thread::sleep_for(1ms);
      ++entered;
      communicator.barrier();
      EXPECT_GE(entered, call * communicator.size());
    }
  }));
}

TEST_P(ThreadCommunicator, DividesIntoGroups) {
  expect_no_errors(run_ranks(make_group(GetParam()), [](Communicator& communicator) {
    conformance::check_split(communicator, kOneShotBytes);
  }));
}

TEST_P(ThreadCommunicator, SumsInRankOrder) {
  expect_no_errors(run_ranks(make_group(GetParam()), [](Communicator& communicator) {
    // Added in order: 2^24 + 1 is 2^24 again in f32, while the ones added first would count.
    for (const int64_t count : {int64_t{5}, kOneShotBytes}) {
      std::vector<float> data(static_cast<size_t>(count), communicator.rank() == 0 ? 0x1p24f : 1.0f);
      communicator.all_reduce(data.data(), count, DType::F32);
      EXPECT_THAT(data, Each(0x1p24f));
    }
  }));
}

TEST_P(ThreadCommunicator, AgreesAboutTimesAndHashes) {
  expect_no_errors(run_ranks(make_group(GetParam()), [](Communicator& communicator) {
    const CollectiveTimes times = measure(communicator);
    EXPECT_GE(times.all_reduce.latency, 0);
    EXPECT_GT(times.all_reduce.bytes_per_second, 0);
    CollectiveTimes of_root = times;
    communicator.broadcast(&of_root, sizeof(of_root), 0);
    EXPECT_EQ(of_root.all_gather.bytes_per_second, times.all_gather.bytes_per_second);
    require_equal(communicator, 42, "plans");
  }));
}

TEST(ThreadCommunicators, NameTheRanksWhoseHashDiffersOnEveryRank) {
  const auto errors = run_ranks(make_group(5), [](Communicator& communicator) {
    require_equal(communicator, communicator.rank() % 3 == 1 ? 7 : 1, "plans");
  });
  EXPECT_THAT(errors, Each(HasSubstr("plans differ from rank 0's on ranks 1, 4")));
}

TEST(ThreadCommunicators, RefuseToSumOtherTypes) {
  const auto errors = run_ranks(make_group(2), [](Communicator& communicator) {
    uint16_t half = 0;
    communicator.all_reduce(&half, 1, DType::BF16);
  });
  EXPECT_THAT(errors, Each(HasSubstr("not in BF16")));
}

TEST(ThreadCommunicators, NoticeThatRanksCallDifferentCollectives) {
  const auto errors = run_ranks(make_group(2), [](Communicator& communicator) {
    float x = 0;
    if (communicator.rank() == 0) communicator.all_reduce(&x, 1, DType::F32);
    if (communicator.rank() == 1) communicator.barrier();
  });
  EXPECT_THAT(errors, testing::Contains(HasSubstr("ranks disagree")));
}

TEST(ThreadCommunicators, NameTheRankThatGaveUpWhereverTheOthersWait) {
  for (const int ranks : {2, 3, 5}) {
    const auto errors = run_ranks(make_group(ranks), [](Communicator& communicator) {
      float x = 0;
      const int last = communicator.size() - 1;
      if (communicator.rank() == last) {
        std::this_thread::sleep_for(20ms);
        fail(ErrorKind::Io, "disk full");
      }
      // One waits for a message, the others for a broadcast, and whoever gets further for a sum.
      if (communicator.rank() == 1)
        communicator.receive(&x, sizeof(x), last);
      else
        communicator.broadcast(&x, sizeof(x), last);
      communicator.all_reduce(&x, 1, DType::F32);
    });
    for (int rank = 0; rank < ranks - 1; ++rank)
      EXPECT_THAT(errors[static_cast<size_t>(rank)], HasSubstr(fmt::format("rank {} gave up: disk full", ranks - 1)));
  }
}

TEST(ThreadCommunicators, ThrowTheSameErrorInEveryLaterCall) {
  const auto errors = run_ranks(make_group(2), [](Communicator& communicator) {
    if (communicator.rank() == 0) communicator.abort("enough");
    for (int call = 0; call < 3; ++call) {
      EXPECT_THROW(communicator.barrier(), Error);
      float x = 0;
      EXPECT_THROW(communicator.broadcast(&x, sizeof(x), communicator.rank()), Error);
    }
  });
  expect_no_errors(errors);
}

TEST(ThreadCommunicators, NameTheRankThatLeft) {
  const auto errors = run_ranks(make_group(3), [](Communicator& communicator) {
    communicator.barrier();
    if (communicator.rank() != 2) communicator.barrier();
  });
  EXPECT_THAT(errors[0], HasSubstr("rank 2 left the group"));
  EXPECT_EQ(errors[1], errors[0]);
}

TEST(ThreadCommunicators, NameTheRankThatStalled) {
  std::atomic<int> failed{0};
  const auto errors = run_ranks(make_group(3, 1000ms), [&](Communicator& communicator) {
    communicator.barrier();
    float x = 1;
    if (communicator.rank() == 1)  // neither in a collective nor computing, as in a deadlock
      failed.wait(0);
    try {
      communicator.all_reduce(&x, 1, DType::F32);
    } catch (const Error&) {
      failed = 1;
      failed.notify_all();
      throw;
    }
  });
  EXPECT_THAT(errors, Each(HasSubstr("rank 1 stalled: for 1.0 s it neither computed nor joined all_reduce")));
}

TEST(ThreadCommunicators, WaitForARankThatComputesOrTicks) {
  const auto errors = run_ranks(make_group(3, 1000ms), [](Communicator& communicator) {
    communicator.tick();
    const auto end = std::chrono::steady_clock::now() + 2500ms;
    while (communicator.rank() == 1 && std::chrono::steady_clock::now() < end) {
    }
    while (communicator.rank() == 2 && std::chrono::steady_clock::now() < end) {
      communicator.tick();
      std::this_thread::sleep_for(50ms);
    }
    conformance::check_all_reduce(communicator, 100);
  });
  expect_no_errors(errors);
}

TEST(ThreadCommunicators, WaitForARankWhoseWorkersCompute) {
  const auto errors = run_ranks(make_group(2, 1000ms), [](Communicator& communicator) {
    ThreadPool pool(2);
    communicator.tick();
    communicator.watch(worker_ids(pool));
    // The rank's own thread only waits for its worker.
    if (communicator.rank() == 1)
      pool.run([](int thread) {
        const auto end = std::chrono::steady_clock::now() + 2500ms;
        while (thread == 1 && std::chrono::steady_clock::now() < end) {
        }
      });
    communicator.barrier();
  });
  expect_no_errors(errors);
}

TEST(ThreadCommunicators, NameTheRankThatGaveUpInAPartOfTheGroup) {
  const auto errors = run_ranks(make_group(5), [](Communicator& communicator) {
    const auto part = communicator.split(communicator.rank() % 2);
    if (communicator.rank() == 3) part->abort("disk full");
    float x = 0;
    for (;;) part->all_reduce(&x, 1, DType::F32);
  });
  EXPECT_THAT(errors, Each(std::string("rank 3 gave up: disk full")));
}

TEST(ThreadCommunicators, NameTheRankThatStalledInAPartOfTheGroup) {
  std::atomic<int> failed{0};
  const auto errors = run_ranks(make_group(5, 1000ms), [&](Communicator& communicator) {
    const auto part = communicator.split(communicator.rank() % 2);
    if (communicator.rank() == 3) failed.wait(0);
    try {
      part->barrier();
      communicator.barrier();
    } catch (const Error&) {
      failed = 1;
      failed.notify_all();
      throw;
    }
  });
  EXPECT_THAT(errors, Each(HasSubstr("rank 3 stalled: for 1.0 s it neither computed nor joined")));
}

// Rank 1's only signs of life are those that it gives in the whole group.
TEST(ThreadCommunicators, CountSignsOfLifeInEveryGroup) {
  expect_no_errors(run_ranks(make_group(2, 1000ms), [](Communicator& communicator) {
    const auto part = communicator.split(0);
    for (int i = 0; i < 50 && communicator.rank() == 1; ++i) {
      communicator.tick();
      std::this_thread::sleep_for(50ms);
    }
    part->barrier();
  }));
}

double thread_cpu_seconds() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(ThreadCommunicators, SleepWhileTheRootOfABroadcastIsIdle) {
  const auto errors = run_ranks(make_group(3, 1000ms), [](Communicator& communicator) {
    const double before = thread_cpu_seconds();
    if (communicator.rank() == 0) std::this_thread::sleep_for(2500ms);
    conformance::check_broadcast(communicator, 10, 0);
    EXPECT_LT(thread_cpu_seconds() - before, 0.1) << "processor time, not elapsed time";
  });
  expect_no_errors(errors);
}

}  // namespace
}  // namespace cleave::comm
