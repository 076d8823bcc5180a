#include "runtime/load_board.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace cleave::runtime {
namespace {

TEST(LoadBoard, GivesEveryRankEachJobOnceAndWaitsUntilAllHaveLeftIt) {
  constexpr size_t kRanks = 3;
  constexpr int kJobs = 50;
  LoadBoard board(kRanks);
  std::atomic<int> taken = 0;
  std::vector<std::thread> others;
  for (size_t rank = 1; rank < kRanks; ++rank)
    others.emplace_back([&, rank] {
      for (int i = 0; i < kJobs; ++i) {
        const LoadJob& job = board.await(rank, [] {});
        EXPECT_EQ(job.error->what(), std::to_string(i));
        ++taken;
        board.leave(rank);
      }
    });
  for (int i = 0; i < kJobs; ++i) {
    LoadJob job{.error = Error(ErrorKind::Io, std::to_string(i))};
    board.post(job);
    board.await_others();
    EXPECT_EQ(taken, (i + 1) * static_cast<int>(kRanks - 1));
  }
  for (std::thread& other : others) other.join();
}

TEST(LoadBoard, DoesNotWaitForARankThatHasEnded) {
  LoadBoard board(3);
  LoadJob job;
  std::thread other([&] {
    board.await(1, [] {});
    board.end(1);
  });
  board.end(2);
  board.post(job);
  board.await_others();
  board.post(job);
  board.await_others();
  other.join();
}

TEST(LoadBoard, TicksWhileThereIsNoJob) {
  LoadBoard board(2);
  LoadJob job;
  int ticks = 0;
  board.await(1, [&] {
    if (++ticks == 2) std::thread([&] { board.post(job); }).join();
  });
  EXPECT_EQ(ticks, 2);
}

TEST(LoadBoard, TellsRanksThatWaitThatNoJobWillCome) {
  LoadBoard board(2);
  std::thread closer([&] { board.close(); });
  EXPECT_THROW(board.await(1, [] {}), Error);
  closer.join();
}

}  // namespace
}  // namespace cleave::runtime
